import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runTool } from '../../scripts/lib/processes.ts';

const OPTIONS = {
  compilerOptions: {
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    target: 'es2022',
    lib: ['es2022', 'dom', 'dom.iterable'],
    module: 'esnext',
    moduleResolution: 'bundler',
    types: [],
  },
  include: ['hey-api', 'openapi-typescript.ts'],
};

/**
 * Generates clients of the API document and compiles them under `strict`.
 * @param folder of the tools
 * @throws Failure with the output of the tool
 */
export async function compileGenerated(folder: string, document: string, signal: AbortSignal) {
  const run = (name: string, args: string[]) =>
    runTool({
      title: `${name} failed`,
      command: join(folder, 'node_modules', '.bin', name),
      args,
      cwd: folder,
      signal,
    });
  await run('openapi-ts', ['-i', document, '-o', 'hey-api', '-c', '@hey-api/client-fetch']);
  await run('openapi-typescript', [document, '-o', 'openapi-typescript.ts']);
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(OPTIONS));
  await run('tsc', ['-p', '.']);
}
