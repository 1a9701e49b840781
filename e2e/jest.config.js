import { jestPreset } from '@shop/service-kit/jest-preset';

/** Tests across running services: without coverage, and each file starts its own processes. */
export default {
  ...jestPreset,
  displayName: 'e2e',
  globalSetup: '<rootDir>/../scripts/lib/test/e2e-setup.js',
  setupFilesAfterEnv: ['<rootDir>/support/documented.ts'],
  testMatch: ['<rootDir>/**/*.test.ts'],
};
