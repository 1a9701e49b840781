import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { errorsPage } from './errors.ts';
import { openApiFile } from './openapi.ts';
import { settingsPage } from './settings.ts';

const DOCS = new URL('../../docs/', import.meta.url);

/** The pages that the code writes, by their names in docs/. */
const PAGES: Record<string, () => string | Promise<string>> = {
  'configuration.md': settingsPage,
  'errors.md': errorsPage,
  'openapi.json': openApiFile,
};

/** With `--check` nothing is written: exit 1 names the pages that are stale. */
const isCheck = process.argv.includes('--check');
const stale: string[] = [];
for (const [name, make] of Object.entries(PAGES)) {
  const file = fileURLToPath(new URL(name, DOCS));
  const wanted = await make();
  if ((await readFile(file, 'utf8').catch(() => '')) === wanted) continue;
  stale.push(`docs/${name}`);
  if (!isCheck) await writeFile(file, wanted);
}
if (isCheck && stale.length > 0) {
  console.error(`Stale: ${stale.join(', ')}. Write them with: npm run docs`);
  process.exit(1);
}
console.log(
  stale.length === 0 ? 'The generated pages in docs/ are up to date.' : `Written: ${stale.join(', ')}`,
);
