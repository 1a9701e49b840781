import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { overflowOf, violationsOf } from './support/accessibility.ts';
import { expectSoon, PHONE, signIn, WIDE } from './support/browser.ts';
import { productBySku } from './support/catalogue.ts';
import { shopForTests } from './support/shop-for-tests.ts';

/** SCREENSHOTS=true draws those of the documentation again. */
const SCREENSHOTS = process.env['SCREENSHOTS'] === 'true';
const FOLDER = fileURLToPath(new URL('../../../docs/images/storefront/', import.meta.url));
/** The sum of layout shifts. Up to 0.1 is "good" (web.dev/cls); on a slow machine a list's filters arrive after its products. */
const MOVED_AT_MOST = 0.1;

const site = shopForTests();
beforeAll(() => mkdir(FOLDER, { recursive: true }));

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
  { name: 'verify-email', path: '/verify-email?token=x' },
  { name: 'not-found', path: '/nowhere' },
];
const BUYER: Shown[] = [
  { name: 'checkout', path: '/checkout', isPictured: true },
  { name: 'orders', path: '/orders', isPictured: true },
  { name: 'order', path: '/orders/4', isPictured: true },
  { name: 'order-cancelled', path: '/orders/3' },
  { name: 'order-pending', path: '/orders/12' },
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

const ROLES: [string, string | undefined, Shown[]][] = [
  ['everybody', undefined, PUBLIC],
  ['buyers', 'demo-buyer', BUYER],
  ['sellers', 'demo-seller', SELLER],
  ['admins', 'demo-admin', ADMIN],
];
/** Both widths and both themes; the documentation shows each width in each theme. */
const LOOKS = [
  ['390', 'dark', PHONE],
  ['1280', 'light', WIDE],
  ...(SCREENSHOTS
    ? ([
        ['390', 'light', PHONE],
        ['1280', 'dark', WIDE],
      ] as const)
    : []),
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
        await page.locator('main h1').waitFor();
        await page.waitForLoadState('networkidle');
        await page.waitForFunction(() => document.querySelectorAll('.skeleton').length === 0);
        const found = {
          violations: await violationsOf(page),
          moved: (await moved(page)) > MOVED_AT_MOST ? await moved(page) : 0,
          overflow: await overflowOf(page),
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
