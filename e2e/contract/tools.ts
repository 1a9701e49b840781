import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
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

/** @returns the folder of the installed tools, which is reused */
export async function installTools(signal: AbortSignal) {
  const versions = Object.values(PACKAGES).join('_');
  const folder = join(DATA, 'contract', versions);
  if (existsSync(join(folder, 'complete'))) return folder;
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ private: true, type: 'module', dependencies: PACKAGES }),
  );
  await runTool({
    title: 'The tools cannot be installed',
    command: 'npm',
    args: ['install', '--no-audit', '--no-fund'],
    cwd: folder,
    signal,
  });
  await writeFile(join(folder, 'complete'), '');
  return folder;
}
