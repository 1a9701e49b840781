import { jestPreset } from '@shop/service-kit/jest-preset';

/**
 * Jest for the whole repository: `npx jest`, `npm test` and the test button of an editor all use it. Each workspace has its own
 * settings in `<workspace>/jest.config.js`, and starts the servers that its tests need.
 */
const WORKSPACES = [
  'service-kit',
  'user-service',
  'product-service',
  'order-service',
  'e2e',
  'clients/typescript',
  'examples/storefront',
];

export default {
  projects: WORKSPACES.map((workspace) => `<rootDir>/${workspace}`),
  // Milliseconds. Jest ignores the limit of a project when it runs several.
  testTimeout: jestPreset.testTimeout,
  // More than the two cores of a small machine, because many tests wait; each file has a database of its own.
  maxWorkers: 3,
  // With this limit Jest always uses worker processes, which get the flag that ES modules need (service-kit/jest-preset.js).
  workerIdleMemoryLimit: '1GB',
  reporters: ['default', ['<rootDir>/scripts/lib/test/reporter.js', { projects: WORKSPACES.length }]],
  coverageProvider: 'v8',
  // Relative to each workspace. Left out: what Prisma generates, helpers of tests, and the entries of processes, which the
  // tests across services run.
  collectCoverageFrom: [
    '**/src/**/*.ts',
    '!**/src/generated/**',
    '!**/src/api.types.ts',
    '!**/src/server.ts',
    '!**/src/migrate.ts',
    '!**/*.test.ts',
  ],
  coverageReporters: ['json-summary', 'lcovonly', 'text-summary'],
};
