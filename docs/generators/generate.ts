import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { clientFiles } from '../../clients/typescript/generate.ts';
import { brunoFiles } from './bruno.ts';
import { errorsPage } from './errors.ts';
import { httpFiles } from './http-files.ts';
import { openApiFile } from './openapi.ts';
import { settingsPage } from './settings.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Folders with generated files only. */
const FOLDERS = ['docs/http', 'docs/bruno'];

/** The generated files by path. */
async function generatedFiles(): Promise<Record<string, string>> {
  const document = openApiFile();
  return {
    'docs/configuration.md': settingsPage(),
    'docs/errors.md': await errorsPage(),
    'docs/openapi.json': document,
    ...(await clientFiles(document)),
    ...httpFiles(document),
    ...brunoFiles(document),
  };
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(ROOT + folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => `${parentPath}/${name}`.slice(ROOT.length));
}

/** With `--check` nothing is written: exit code 1 and a list of files that are stale or no longer generated. */
const isCheck = process.argv.includes('--check');
const files = await generatedFiles();
const stale: string[] = [];
for (const [name, wanted] of Object.entries(files)) {
  if ((await readFile(ROOT + name, 'utf8').catch(() => '')) === wanted) continue;
  stale.push(name);
  if (isCheck) continue;
  await mkdir(dirname(ROOT + name), { recursive: true });
  await writeFile(ROOT + name, wanted);
}
for (const name of (await Promise.all(FOLDERS.map(filesIn))).flat()) {
  if (name in files) continue;
  stale.push(name);
  if (!isCheck) await rm(ROOT + name);
}
if (isCheck && stale.length > 0) {
  console.error(`Stale: ${stale.join(', ')}. Write them with: npm run docs`);
  process.exit(1);
}
console.log(stale.length === 0 ? 'All generated files are up to date.' : `Written: ${stale.join(', ')}`);
