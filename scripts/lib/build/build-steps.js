import { rm } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { filesUnder, fingerprint } from '../fingerprint.js';
import { runTool } from '../processes.js';
import { ROOT } from '../shop.js';

const SHARED_INPUTS = ['package-lock.json', 'tsconfig.base.json', 'scripts/lib/build'];
const GENERATED = `${sep}src${sep}generated${sep}`;

/** @param {string} name */
export function generateInputs(name) {
  return fingerprint(ROOT, ['package-lock.json', `${name}/prisma/schema.prisma`, `${name}/prisma.config.ts`]);
}

/**
 * The kit's sources count for every service, which is compiled against its types.
 * @param {string} name
 */
export function compileInputs(name) {
  const folders = [...new Set(['service-kit', name])];
  const own = folders.flatMap((folder) =>
    ['src', 'package.json', 'tsconfig.json', 'tsconfig.build.json', 'prisma/schema.prisma'].map(
      (file) => `${folder}/${file}`,
    ),
  );
  return fingerprint(ROOT, [...SHARED_INPUTS, ...own], (file) => file.includes(GENERATED));
}

/**
 * @param {string} name
 * @param {AbortSignal} signal
 */
export async function generateClient(name, signal) {
  await runTool({
    title: `The database client of ${name} cannot be generated`,
    command: process.execPath,
    args: [join(ROOT, 'node_modules', 'prisma', 'build', 'index.js'), 'generate', '--no-hints'],
    cwd: join(ROOT, name),
    env: {
      ...process.env,
      // generate wants to download a schema engine that it never runs; any existing executable spares it that.
      PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
      PRISMA_HIDE_UPDATE_MESSAGE: '1',
      CHECKPOINT_DISABLE: '1',
    },
    signal,
  });
}

/**
 * @param {string} name
 * @param {AbortSignal} signal
 */
export async function compile(name, signal) {
  const output = await runTool({
    title: `${name} does not compile`,
    command: process.execPath,
    args: [
      join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'),
      '-p',
      join(name, 'tsconfig.build.json'),
      '--noEmitOnError',
      '--listEmittedFiles',
    ],
    cwd: ROOT,
    signal,
  });
  await removeOrphans(join(ROOT, name, 'dist'), output);
}

/**
 * What tsc did not write this time belongs to a source that is gone.
 * @param {string} folder
 * @param {string} output of tsc --listEmittedFiles
 */
async function removeOrphans(folder, output) {
  const emitted = new Set(output.split(/\r?\n/).flatMap((line) => line.match(/^TSFILE:\s+(.+)$/)?.[1] ?? []));
  if (emitted.size === 0) return;
  const files = await filesUnder(folder);
  await Promise.all(files.filter((file) => !emitted.has(file)).map((file) => rm(file)));
}
