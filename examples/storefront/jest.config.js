import { jestPreset } from '@shop/service-kit/jest-preset';

/** In a browser, on the built storefront and running services. */
export default {
  ...jestPreset,
  displayName: 'storefront',
  globalSetup: '<rootDir>/tests/support/global-setup.js',
  globalTeardown: '<rootDir>/../../scripts/lib/test/global-teardown.js',
  testMatch: ['<rootDir>/tests/**/*.test.ts'],
  // Its sources run in the browser, where Jest measures nothing.
  coveragePathIgnorePatterns: ['/'],
};
