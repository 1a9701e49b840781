/**
 * Jest for the whole repository: `npx jest`, `npm test` and the test button of an editor all use it. Each workspace has its own
 * settings in `<workspace>/jest.config.js`, and starts the servers that its tests need.
 */
const BAR = { lines: 95, branches: 95 };
const MEASURED = ['service-kit', 'user-service', 'product-service', 'order-service'];

export default {
  projects: [...MEASURED, 'e2e'].map((workspace) => `<rootDir>/${workspace}`),
  // For the slowest: tests of e2e start and kill whole stacks. Milliseconds.
  testTimeout: 120_000,
  // More than the two cores of a small machine, because many tests wait; each file has a database of its own.
  maxWorkers: 3,
  // With this limit Jest always uses worker processes, which get the flag that ES modules need (service-kit/jest-preset.js).
  workerIdleMemoryLimit: '1GB',
  reporters: ['default', '<rootDir>/scripts/lib/test/count-reporter.js'],
  coverageProvider: 'v8',
  coverageReporters: ['json-summary', 'lcovonly', 'text-summary'],
  coverageThreshold: Object.fromEntries(MEASURED.map((workspace) => [`./${workspace}/src/`, BAR])),
};
