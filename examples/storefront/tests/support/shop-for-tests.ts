import { afterAll, beforeAll } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { openBrowser, type Visit, type VisitOptions, visit } from './browser.ts';
import { type Storefront, startStorefront } from './storefront.ts';

/** One seeded shop and one browser for all tests of a file. */
export function shopForTests() {
  let shop: Storefront;
  let browser: Browser;
  beforeAll(async () => {
    [browser, shop] = await Promise.all([openBrowser(), startStorefront()]);
  });
  afterAll(async () => {
    await browser?.close();
    await shop?.close();
  });
  return {
    get shop() {
      return shop;
    },
    /** A new visitor, without anything stored. */
    visit: (options: Omit<VisitOptions, 'url'> = {}): Promise<Visit> =>
      visit(browser, { url: shop.url, ...options }),
  };
}
