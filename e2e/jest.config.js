import { jestPreset } from '@shop/service-kit/jest-preset';

/** Across running services: what is covered here is counted nowhere, and each file starts processes of its own. */
export default {
  ...jestPreset,
  testMatch: ['<rootDir>/**/*.test.ts'],
  testTimeout: 120_000,
  maxWorkers: 2,
  collectCoverageFrom: [],
  coverageThreshold: {},
};
