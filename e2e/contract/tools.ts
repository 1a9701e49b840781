import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runTool } from '../../scripts/lib/processes.ts';
import { DATA } from '../../scripts/lib/shop.ts';

/** Large tools, which are therefore installed on demand and not with `npm ci`. */
const PACKAGES = {
  '@stoplight/prism-cli': '5.14.2',
  '@hey-api/openapi-ts': '0.95.0',
  'openapi-typescript': '7.13.0',
  typescript: '5.9.3',
};

/** @returns the folder of the installed tools, which is reused until a version changes */
export async function installTools(signal: AbortSignal) {
  const versions = Object.values(PACKAGES).join('_');
  const all = join(DATA, 'contract');
  const folder = join(all, versions);
  if (existsSync(join(folder, 'complete'))) return folder;
  await rm(all, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ private: true, type: 'module', dependencies: PACKAGES }),
  );
  await runTool({
    title: 'The tools cannot be installed',
    command: 'npm',
    args: ['install', '--ignore-scripts', '--no-audit', '--no-fund'],
    cwd: folder,
    signal,
  });
  await writeFile(join(folder, 'complete'), '');
  return folder;
}
