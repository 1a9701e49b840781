import { jestPreset } from '@shop/service-kit/jest-preset';

/** On running services, which are built before. */
export default {
  ...jestPreset,
  displayName: 'client',
  globalSetup: '<rootDir>/../../scripts/lib/test/build-for-e2e.js',
  globalTeardown: '<rootDir>/../../scripts/lib/test/global-teardown.js',
  testTimeout: 120_000,
};
