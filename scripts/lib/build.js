import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { takeLock } from './lock.js';
import { runTool } from './processes.js';
import { BUILD_LOCK, ROOT, SERVICES } from './shop.js';
import { say, step } from './terminal.js';

/**
 * Generates the database clients and compiles what is out of date. Two commands at the same time wait for each other.
 * @param {{ signal: AbortSignal }} options
 */
export async function build({ signal }) {
  const release = await takeLock(BUILD_LOCK, {
    signal,
    onWait: () => say('Another process is building here; waiting for it …'),
  });
  try {
    await step('Building', async () => {
      await generateClients(signal);
      await runTool({
        title: 'The code does not compile',
        command: join(ROOT, 'node_modules', '.bin', 'tsc'),
        args: ['--build', 'tsconfig.build.json'],
        cwd: ROOT,
        signal,
      });
    });
  } finally {
    await release?.();
  }
}

/**
 * The part of the build needed by tests that do not run the built services.
 * @param {AbortSignal} signal
 */
export async function generateClients(signal) {
  await Promise.all(SERVICES.map(({ name }) => generateClient(join(ROOT, name), signal)));
}

/**
 * @param {string} folder of the service
 * @param {AbortSignal} signal
 */
async function generateClient(folder, signal) {
  const sources = [join(folder, 'prisma', 'schema.prisma'), join(ROOT, 'node_modules', '.package-lock.json')];
  const changedAt = await Promise.all(sources.map(modifiedAt));
  if ((await modifiedAt(join(folder, 'src', 'generated', 'prisma', 'client.ts'))) > Math.max(...changedAt))
    return;
  await runTool({
    title: `The database client of ${folder} cannot be generated`,
    command: join(ROOT, 'node_modules', '.bin', 'prisma'),
    args: ['generate', '--no-hints'],
    cwd: folder,
    // Prisma would download a schema engine that it never runs; any existing executable prevents this.
    env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, CHECKPOINT_DISABLE: '1' },
    signal,
  });
}

/** @param {string} path */
const modifiedAt = (path) =>
  stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
