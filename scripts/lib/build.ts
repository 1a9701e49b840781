import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { takeLock } from './lock.ts';
import { runTool } from './processes.ts';
import { BUILD_LOCK, ROOT, SERVICES } from './shop.ts';
import { say, step } from './terminal.ts';

/** Generates the database clients and compiles what is out of date. Two commands at the same time wait for each other. */
export async function build({ signal }: { signal: AbortSignal }) {
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

/** The part of the build needed by tests that do not run the built services. */
export async function generateClients(signal: AbortSignal) {
  await Promise.all(SERVICES.map(({ name }) => generateClient(join(ROOT, name), signal)));
}

/** @param folder of the service */
async function generateClient(folder: string, signal: AbortSignal) {
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

const modifiedAt = (path: string) =>
  stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
