import { jestPreset } from '@shop/service-kit/jest-preset';

/** On running services and in a browser. */
export default {
  ...jestPreset,
  displayName: 'client',
  globalSetup: '<rootDir>/tests/support/global-setup.js',
  globalTeardown: '<rootDir>/../../scripts/lib/test/global-teardown.js',
};
