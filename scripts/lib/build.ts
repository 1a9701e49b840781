import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { takeLock } from './lock.ts';
import { runTool } from './processes.ts';
import { ROOT, SERVICES } from './shop.ts';
import { say, step } from './terminal.ts';

/** Of this checkout, wherever the data is. */
const LOCK = join(ROOT, '.data', 'build.lock');

/** Writes Prisma's generated code and compiles what is out of date. Two commands at the same time wait for each other. */
export async function build(signal: AbortSignal) {
  const onWait = () => say('Another process is building here; waiting for it …');
  const release = await takeLock(LOCK, { signal, onWait });
  try {
    await step('Building', async () => {
      await generateClients(signal);
      const [command, args] = [programOf('tsc'), ['--build', 'tsconfig.build.json']];
      await runTool({ title: 'The code does not compile', command, args, cwd: ROOT, signal });
    });
  } finally {
    await release?.();
  }
}

const programOf = (name: string) => join(ROOT, 'node_modules', '.bin', name);

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
    title: `Prisma's code of ${folder} cannot be generated`,
    command: programOf('prisma'),
    args: ['generate', '--no-hints'],
    cwd: folder,
    // Prisma would download a schema engine that it never runs; any existing executable prevents this.
    env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, CHECKPOINT_DISABLE: '1' },
    signal,
  });
}

const modifiedAt = async (path: string) => (await stat(path).catch(() => undefined))?.mtimeMs ?? 0;
