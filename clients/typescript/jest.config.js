import { jestPreset } from '@shop/service-kit/jest-preset';

/** On running services and in a browser. */
export default {
  ...jestPreset,
  displayName: 'client',
  globalSetup: '<rootDir>/../../scripts/lib/test/e2e-setup.js',
  globalTeardown: '<rootDir>/../../scripts/lib/test/global-teardown.js',
};
