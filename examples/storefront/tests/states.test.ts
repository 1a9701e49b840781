import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page, Route } from 'playwright-core';
import { until } from '../../../e2e/support/process.ts';
import { violationsOf } from './support/accessibility.ts';
import { expectSoon, PHONE, signIn, signUp, type Visit } from './support/browser.ts';
import { productBySku } from './support/catalogue.ts';
import { shopForTests } from './support/shop-for-tests.ts';

const site = shopForTests();

const away = (route: Route) =>
  route.fulfill({
    status: 503,
    contentType: 'application/problem+json',
    body: JSON.stringify({
      type: 'urn:problem-type:unavailable',
      title: 'Service Unavailable',
      status: 503,
      detail: 'The service is not available',
      error: 'The service is not available',
      code: 'unavailable',
      request_id: 'of-this-test',
    }),
  });

/** The page as it is now: one heading of the first level, nothing that still loads, no violation. */
async function expectInOrder(page: Page): Promise<void> {
  await expectSoon(() => page.locator('.skeleton').count(), 0);
  await expectSoon(() => page.getByRole('heading', { level: 1 }).count(), 1);
  expect(await violationsOf(page)).toEqual([]);
}

const retry = (page: Page) => page.getByRole('main').getByRole('button', { name: 'Try again' });

/** Tries each part of the page again. */
async function retryAll(page: Page): Promise<void> {
  for (let left = await retry(page).count(); left > 0; left--) {
    await retry(page).first().click();
    await expectSoon(() => retry(page).count(), left - 1);
  }
  await expectInOrder(page);
  expect(await page.getByRole('main').getByRole('alert').count()).toBe(0);
}

const PAGES: [string, string | undefined, string[]][] = [
  ['everybody', undefined, ['/', '/products', '/products/:kettle', '/basket']],
  ['buyers', 'demo-buyer', ['/checkout', '/orders', '/orders/4', '/account']],
  ['sellers', 'demo-seller', ['/selling', '/selling/:kettle', '/selling/orders']],
  ['admins', 'demo-admin', ['/admin', '/admin/orders', '/admin/audit']],
];

describe.each(PAGES)(
  'while the shop is unavailable, a page of %s says so, and comes back',
  (_role, user, paths) => {
    let visitor: Visit;
    let kettle: number;
    beforeAll(async () => {
      visitor = await site.visit();
      kettle = (await productBySku(site.shop, 'DEMO-KIT-05')).id;
      const basket = JSON.stringify([{ id: kettle, quantity: 1 }]);
      await visitor.context.addInitScript((text) => localStorage.setItem('shop.basket', text), basket);
      if (user !== undefined) await signIn(visitor.page, user);
    });
    afterAll(async () => {
      expect(visitor.errors).toEqual([]);
      await visitor.context.close();
    });

    test.each(paths)('%s', async (path) => {
      const { page } = visitor;
      await page.route('**/api/**', (route) =>
        // Who is signed in is known, so that the page comes to its own requests.
        new URL(route.request().url()).pathname === '/api/users/me' ? route.continue() : away(route),
      );
      await page.goto(path.replace(':kettle', String(kettle)));
      await retry(page).first().waitFor();
      await page.getByText('The shop is having a short break').first().waitFor();
      await expectInOrder(page);
      await page.unroute('**/api/**');
      await retryAll(page);
    });

    if (user !== undefined)
      test('that cannot find out who is signed in', async () => {
        const { page } = visitor;
        await page.route('**/api/**', away);
        await page.goto(paths[0] ?? '/');
        await retry(page).waitFor();
        await page.getByText('Reference: of-this-test').waitFor();
        await expectInOrder(page);
        await page.unroute('**/api/**');
        await page.locator('.icon-button--user').waitFor();
        await expectInOrder(page);
        expect(await retry(page).count()).toBe(0);
      });
  },
);

describe('a new user', () => {
  let visitor: Visit;
  beforeAll(async () => {
    visitor = await site.visit({ viewport: PHONE, colorScheme: 'dark' });
    await signUp(visitor.page, 'newcomer');
  });
  afterAll(async () => {
    expect(visitor.errors).toEqual([]);
    await visitor.context.close();
  });

  test.each([
    ['/basket', 'Your basket is empty'],
    ['/checkout', 'Your basket is empty'],
    ['/orders', 'No orders yet'],
    ['/orders?status=shipped', 'No orders yet'],
    ['/orders/4', 'There is no such order.'],
    ['/selling', 'You do not sell anything yet'],
    ['/selling/orders', 'No orders yet'],
    ['/selling/999999', 'This product is not sold any more'],
    ['/admin', 'This page is for admins'],
    ['/products?q=zzzzzz', 'Nothing found'],
  ])('finds %s accessible, with the words "%s"', async (path, words) => {
    await visitor.page.goto(path);
    await visitor.page.getByRole('heading', { name: words, exact: true }).waitFor();
    await expectInOrder(visitor.page);
  });

  test('confirms the email address by the mailed link, once', async () => {
    const { page } = visitor;
    let link = '';
    await until('the mail is written', async () => {
      const output = site.shop.stack.user.process.output();
      // The last one who has signed up.
      link = output.match(/http:\/\/\S+\/verify-email\?token=[\w-]+/g)?.at(-1) ?? '';
      return link !== '';
    });
    await page.goto(link);
    await page.getByText('Your email address is confirmed').waitFor();
    await expectInOrder(page);
    await page.getByRole('main').getByRole('link', { name: 'Account' }).click();
    await page.getByRole('heading', { name: 'Profile' }).waitFor();
    const again = page.waitForResponse('**/api/users/verify-email');
    await page.goBack();
    expect((await again).status()).toBe(400);
    await page.getByText('Your email address is confirmed').waitFor();
    await expectInOrder(page);
    await page.reload();
    await page.getByText('The link was used before, or has expired.').waitFor();
    await expectInOrder(page);
  });
});

describe('an admin', () => {
  test.each(['/admin?q=zzzzzz', '/admin/audit?user_id=999999'])(
    'finds %s accessible without a row',
    async (path) => {
      const { page, context } = await site.visit();
      await signIn(page, 'demo-admin');
      await page.goto(path);
      await page.getByRole('heading', { name: 'Nothing found', exact: true }).waitFor();
      await expectInOrder(page);
      await context.close();
    },
  );
});
