import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { PHONE } from './support/browser.ts';
import { shopForTests } from './support/shop-for-tests.ts';

const ASSETS = fileURLToPath(new URL('../dist/assets/', import.meta.url));
const JAVASCRIPT_AT_MOST = 100_000;
const SLOWER = 4;
const VISITS = 3;

async function gzipped(extension: string): Promise<number> {
  const files = (await readdir(ASSETS)).filter((name) => name.endsWith(extension));
  const sizes = await Promise.all(files.map(async (name) => gzipSync(await readFile(ASSETS + name)).length));
  return sizes.reduce((sum, size) => sum + size, 0);
}

describe('the built page', () => {
  test('has less than 100 kB of JavaScript, all its pages and languages together', async () => {
    const [script, style] = await Promise.all([gzipped('.js'), gzipped('.css')]);
    console.log(`JavaScript ${script} bytes, CSS ${style} bytes, gzipped`);
    expect(script).toBeLessThan(JAVASCRIPT_AT_MOST);
  });
});

describe('the first view', () => {
  const site = shopForTests();

  /** The browser's own start is not the page's. */
  beforeAll(async () => {
    const { page, context } = await site.visit();
    await page.goto('/sign-in');
    await context.close();
  });

  /** Reported, not judged: it depends on the machine. The least of some visits, because other work only makes it longer. */
  test.each(['/', '/products', '/products/1'])('%s has its largest part', async (path) => {
    const paints: number[] = [];
    for (let count = 0; count < VISITS; count++) paints.push(await largestPaint(path));
    const paint = Math.round(Math.min(...paints));
    console.log(`${path}: Largest Contentful Paint after ${paint} ms on a CPU slowed ${SLOWER} times`);
    expect(paint).toBeGreaterThan(0);
  });

  /** Of a first visit, with nothing in the cache. @returns milliseconds */
  async function largestPaint(path: string): Promise<number> {
    const { page, context } = await site.visit({ viewport: PHONE });
    const session = await context.newCDPSession(page);
    await session.send('Emulation.setCPUThrottlingRate', { rate: SLOWER });
    await page.goto(path);
    await page.waitForLoadState('networkidle');
    const paint = await page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          new PerformanceObserver((list) => resolve(list.getEntries().at(-1)?.startTime ?? 0)).observe({
            type: 'largest-contentful-paint',
            buffered: true,
          });
        }),
    );
    await context.close();
    return paint;
  }
});
