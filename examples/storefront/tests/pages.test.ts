import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { expectSoon, PHONE, signIn, WIDE } from './support/browser.ts';
import { productBySku } from './support/catalogue.ts';
import { shopForTests } from './support/shop-for-tests.ts';

/** SCREENSHOTS=true draws those of the documentation again. */
const SCREENSHOTS = process.env['SCREENSHOTS'] === 'true';
const FOLDER = fileURLToPath(new URL('../../../docs/images/storefront/', import.meta.url));
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
/** The sum of layout shifts: up to 0.1 is "good" (web.dev/cls). Most pages stay below 0.02, an order reaches 0.034. */
const MOVED_AT_MOST = 0.1;

const site = shopForTests();
let axe: string;
beforeAll(async () => {
  axe = await readFile(AXE, 'utf8');
  await mkdir(FOLDER, { recursive: true });
});

interface Shown {
  name: string;
  path: string;
  /** Whether the documentation shows it. */
  isPictured?: boolean;
}

const PUBLIC: Shown[] = [
  { name: 'home', path: '/', isPictured: true },
  { name: 'list', path: '/products?category=Kitchen', isPictured: true },
  { name: 'search', path: '/products?q=ketle' },
  { name: 'nothing-found', path: '/products?q=zzzzzz' },
  { name: 'product', path: '/products/:kettle', isPictured: true },
  { name: 'gone', path: '/products/999999' },
  { name: 'basket', path: '/basket', isPictured: true },
  { name: 'sign-in', path: '/sign-in' },
  { name: 'sign-up', path: '/sign-up' },
  { name: 'forgotten-password', path: '/forgotten-password' },
  { name: 'reset-password', path: '/reset-password?token=x' },
  { name: 'not-found', path: '/nowhere' },
];
const BUYER: Shown[] = [
  { name: 'checkout', path: '/checkout', isPictured: true },
  { name: 'orders', path: '/orders', isPictured: true },
  { name: 'order', path: '/orders/4', isPictured: true },
  { name: 'account', path: '/account' },
];
const SELLER: Shown[] = [
  { name: 'selling', path: '/selling', isPictured: true },
  { name: 'selling-new', path: '/selling/new' },
  { name: 'selling-edit', path: '/selling/:kettle', isPictured: true },
  { name: 'selling-orders', path: '/selling/orders' },
  { name: 'selling-import', path: '/selling/import' },
];
const ADMIN: Shown[] = [
  { name: 'admin-users', path: '/admin', isPictured: true },
  { name: 'admin-orders', path: '/admin/orders' },
  { name: 'admin-audit', path: '/admin/audit' },
];

interface Violation {
  id: string;
  nodes: { html: string; failureSummary: string }[];
}

async function violationsOf(page: Page): Promise<string[]> {
  // Through the debugger: the page's own policy lets no other script in.
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run: () => Promise<{ violations: Violation[] }> } };
    return (await axe.run()).violations;
  });
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`),
  );
}

/** Sums up layout shifts from the first byte on. */
function watchShifts(): void {
  const sums = globalThis as unknown as { moved: number };
  sums.moved = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as (PerformanceEntry & {
      value: number;
      hadRecentInput: boolean;
    })[])
      if (!entry.hadRecentInput) sums.moved += entry.value;
  }).observe({ type: 'layout-shift', buffered: true });
}

const moved = (page: Page) => page.evaluate(() => (globalThis as unknown as { moved: number }).moved);
const overflow = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

const ROLES: [string, string | undefined, Shown[]][] = [
  ['everybody', undefined, PUBLIC],
  ['buyers', 'demo-buyer', BUYER],
  ['sellers', 'demo-seller', SELLER],
  ['admins', 'demo-admin', ADMIN],
];
const LOOKS = [
  ['390', 'light', PHONE],
  ['390', 'dark', PHONE],
  ['1280', 'light', WIDE],
  ['1280', 'dark', WIDE],
] as const;

describe.each(ROLES)('the pages of %s', (_role, user, pages) => {
  test.each(LOOKS)(
    'at %s pixels, %s: accessible, still, within the screen',
    async (width, colorScheme, viewport) => {
      const { page, context, errors } = await site.visit({ viewport, colorScheme });
      const kettle = await productBySku(site.shop, 'DEMO-KIT-05');
      const lines = ['DEMO-KIT-05', 'DEMO-HOM-01', 'DEMO-BOK-08'].map((sku) => productBySku(site.shop, sku));
      const basket = (await Promise.all(lines)).map(({ id }, index) => ({ id, quantity: index + 1 }));
      await context.addInitScript(watchShifts);
      await context.addInitScript((text) => {
        localStorage.setItem('shop.basket', text);
      }, JSON.stringify(basket));
      if (user !== undefined) await signIn(page, user);
      const faults: Record<string, unknown> = {};
      for (const { name, path, isPictured = false } of pages) {
        await page.goto(path.replace(':kettle', String(kettle.id)));
        await page.waitForLoadState('networkidle');
        await page.waitForFunction(() => document.querySelectorAll('.skeleton').length === 0);
        const found = {
          violations: await violationsOf(page),
          moved: (await moved(page)) > MOVED_AT_MOST ? await moved(page) : 0,
          overflow: await overflow(page),
        };
        if (found.violations.length > 0 || found.moved > 0 || found.overflow > 0) faults[name] = found;
        if (SCREENSHOTS && isPictured)
          await page.screenshot({
            path: `${FOLDER}${name}-${width}-${colorScheme}.jpg`,
            type: 'jpeg',
            quality: 74,
          });
      }
      expect(faults).toEqual({});
      expect(errors).toEqual([]);
      await context.close();
    },
  );
});

describe('in German', () => {
  test('texts, prices and the language of the document follow', async () => {
    const { page, context, errors } = await site.visit({ locale: 'de-DE' });
    await page.goto('/products?category=Kitchen&sort=-price');
    await page.getByText('20 Produkte').waitFor();
    await expectSoon(() => page.locator('html').getAttribute('lang'), 'de');
    expect(await page.locator('.card__price').first().textContent()).toMatch(/^159,00\s\$$/);
    expect(await violationsOf(page)).toEqual([]);
    await page.getByLabel('Sprache').selectOption('en');
    await page.getByText('20 products').waitFor();
    await page.reload();
    await page.getByText('20 products').waitFor();
    expect(errors).toEqual([]);
    await context.close();
  });
});

describe('without a mouse', () => {
  test('the first key leads to the content, and a dialog keeps the focus and gives it back', async () => {
    const { page, context } = await site.visit();
    await signIn(page, 'demo-buyer');
    await page.goto('/orders?status=pending');
    await page
      .getByRole('link', { name: /^Order \d+$/ })
      .first()
      .waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await expectSoon(() => page.evaluate(() => document.activeElement?.id), 'content');
    await page
      .getByRole('link', { name: /^Order \d+$/ })
      .first()
      .press('Enter');
    await page.waitForFunction(() => document.activeElement?.tagName === 'H1');
    const cancel = page.getByRole('button', { name: 'Cancel this order' });
    await cancel.press('Enter');
    await page.getByRole('dialog', { name: 'Cancel this order?' }).waitFor();
    await expectSoon(() => page.evaluate(() => document.activeElement?.closest('dialog') !== null), true);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await expectSoon(() => cancel.evaluate((button) => button === document.activeElement), true);
    await context.close();
  });
});
