/** Jest settings of every workspace: TypeScript through swc as ES modules, coverage with the bar of the project. */
export const jestPreset = {
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['@shop/source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
        module: { type: 'es6' },
        sourceMaps: true,
      },
    ],
  },
  testMatch: ['<rootDir>/src/**/*.test.ts', '<rootDir>/tests/**/*.test.ts'],
  testTimeout: 30_000,
  // More than the two cores, because many tests wait; each has a database of its own.
  maxWorkers: 3,
  coverageProvider: 'v8',
  coverageReporters: ['json-summary', 'lcovonly', 'text-summary'],
  // Left out: what Prisma generates, and the process entries, which the tests across services run as processes.
  collectCoverageFrom: [
    'src/**/*.ts',
    '!src/generated/**',
    '!src/server.ts',
    '!src/migrate.ts',
    '!src/**/*.test.ts',
  ],
  coverageThreshold: { global: { lines: 95, branches: 95 } },
};
