const MODULES = '--experimental-vm-modules --no-warnings';
// Jest's workers inherit the environment of the process that reads this.
if (!process.env['NODE_OPTIONS']?.includes(MODULES))
  process.env['NODE_OPTIONS'] = `${process.env['NODE_OPTIONS'] ?? ''} ${MODULES}`.trim();

/** Jest settings of every workspace: TypeScript through swc as ES modules, on servers that are started for the run. */
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
  globalSetup: '<rootDir>/../scripts/lib/test/global-setup.js',
  globalTeardown: '<rootDir>/../scripts/lib/test/global-teardown.js',
  testMatch: ['<rootDir>/src/**/*.test.ts', '<rootDir>/tests/**/*.test.ts'],
  // Milliseconds. It only ends a test that hangs: some start and kill whole stacks, perhaps on a busy machine.
  testTimeout: 600_000,
};
