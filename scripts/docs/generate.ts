import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { clientTypes } from '../../clients/typescript/generate.ts';
import { errorsPage } from './errors.ts';
import { openApiFile } from './openapi.ts';
import { settingsPage } from './settings.ts';

const ROOT = new URL('../../', import.meta.url);
const document = openApiFile();

/** The files that the code writes. */
const FILES: Record<string, () => string | Promise<string>> = {
  'docs/configuration.md': settingsPage,
  'docs/errors.md': errorsPage,
  'docs/openapi.json': () => document,
  'clients/typescript/src/api.types.ts': () => clientTypes(document),
};

/** With `--check` nothing is written: exit 1 names the files that are stale. */
const isCheck = process.argv.includes('--check');
const stale: string[] = [];
for (const [name, make] of Object.entries(FILES)) {
  const file = fileURLToPath(new URL(name, ROOT));
  const wanted = await make();
  if ((await readFile(file, 'utf8').catch(() => '')) === wanted) continue;
  stale.push(name);
  if (!isCheck) await writeFile(file, wanted);
}
if (isCheck && stale.length > 0) {
  console.error(`Stale: ${stale.join(', ')}. Write them with: npm run docs`);
  process.exit(1);
}
console.log(stale.length === 0 ? 'All generated files are up to date.' : `Written: ${stale.join(', ')}`);
