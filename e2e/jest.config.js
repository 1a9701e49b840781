import { jestPreset } from '@shop/service-kit/jest-preset';

/** Across running services: coverage is not measured here, and each file starts processes of its own. */
export default {
  ...jestPreset,
  displayName: 'e2e',
  globalSetup: '<rootDir>/../scripts/lib/test/build-for-e2e.js',
  setupFilesAfterEnv: ['<rootDir>/support/documented.ts'],
  testMatch: ['<rootDir>/**/*.test.ts'],
};
