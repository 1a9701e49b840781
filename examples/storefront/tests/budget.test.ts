import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { openBrowser, PHONE, visit } from './support/browser.ts';
import { type Storefront, startStorefront } from './support/storefront.ts';

const ASSETS = fileURLToPath(new URL('../dist/assets/', import.meta.url));
const JAVASCRIPT_AT_MOST = 100_000;
const SLOWER = 4;

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
  let shop: Storefront;
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
    shop = await startStorefront();
  });
  afterAll(async () => {
    await browser.close();
    await shop.close();
  });

  /** Reported, not judged: it depends on the machine. */
  test.each(['/', '/products', '/products/1'])('%s has its largest part', async (path) => {
    const { page, context } = await visit(browser, { url: shop.url, viewport: PHONE });
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
    console.log(
      `${path}: Largest Contentful Paint after ${Math.round(paint)} ms on a CPU slowed ${SLOWER} times`,
    );
    expect(paint).toBeGreaterThan(0);
    await context.close();
  });
});
