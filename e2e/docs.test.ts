import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SKIPPED = /(^|\/)(node_modules|dist|coverage|generated|\.data|\.git)(\/|$)/;

const all = await readdir(ROOT, { recursive: true });
const pages = all.filter((path) => path.endsWith('.md') && !SKIPPED.test(path));
const sources = all.filter((path) => /\.(ts|js|sql|yml|prisma)$/.test(path) && !SKIPPED.test(path));

/** GitHub's anchor of a heading: lower case, without punctuation, hyphens for spaces. */
const anchorsOf = (markdown: string): string[] =>
  [...markdown.matchAll(/^#{1,6} +(.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );

/** Removes code blocks, which contain no links. */
const textOf = (markdown: string) => markdown.replace(/^```[\s\S]*?^```/gm, '');

async function isThere(page: string, target: string): Promise<boolean> {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? join(ROOT, page) : join(ROOT, dirname(page), path);
  if (!existsSync(file)) return false;
  return anchor === undefined || anchorsOf(await readFile(file, 'utf8')).includes(anchor);
}

describe('the documentation', () => {
  test('has pages to check', () => expect(pages.length).toBeGreaterThan(10));

  test.each(pages)('%s links to existing files and headings', async (page) => {
    const text = textOf(await readFile(join(ROOT, page), 'utf8'));
    const targets = [...text.matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].map(
      ([, target = '']) => target,
    );
    const broken: string[] = [];
    for (const target of targets) if (!(await isThere(page, target))) broken.push(target);
    expect(broken).toEqual([]);
  });

  test('is cited in comments by existing pages only', async () => {
    const missing: string[] = [];
    for (const source of sources) {
      const text = await readFile(join(ROOT, source), 'utf8');
      for (const [, cited = ''] of text.matchAll(/\b(?:docs\/)?([a-z][a-z0-9/-]+\.md)\b/g)) {
        const candidates = [join(ROOT, 'docs', cited), join(ROOT, cited), join(ROOT, dirname(source), cited)];
        if (!candidates.some((path) => existsSync(path))) missing.push(`${relative(ROOT, source)}: ${cited}`);
      }
    }
    expect(missing).toEqual([]);
  });
});
