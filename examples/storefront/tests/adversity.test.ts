import { describe, expect, test } from '@jest/globals';
import type { Page, Route } from 'playwright-core';
import { addToBasket, expectSoon, fillAddress, signIn } from './support/browser.ts';
import { createProduct, deleteProduct, productBySku } from './support/catalogue.ts';
import { shopForTests } from './support/shop-for-tests.ts';

const site = shopForTests();
const main = (page: Page) => page.getByRole('main');
const heading = (page: Page, name: string) => page.getByRole('heading', { name, exact: true });
const orderLinks = (page: Page) => main(page).getByRole('link', { name: /^Order \d+$/ });
const order = (page: Page) => page.getByRole('button', { name: /^Order now/ }).click();
const away = (route: Route) => route.abort();
const isList = (url: URL) => url.pathname === '/api/orders';

/** Holds requests back until it is opened. */
function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return {
    open: () => open(),
    hold: async (route: Route) => {
      await opened;
      await route.continue();
    },
  };
}

describe('another tab', () => {
  test('in which somebody else signs in, changes who this one shows', async () => {
    const { page, context, errors } = await site.visit();
    await signIn(page, 'demo-buyer');
    await page.goto('/orders');
    await orderLinks(page).first().waitFor();
    await signIn(await context.newPage(), 'demo-seller');
    await page.getByRole('button', { name: 'Account: demo-seller' }).waitFor();
    await heading(page, 'No orders yet').waitFor();
    expect(await orderLinks(page).count()).toBe(0);
    expect(errors).toEqual([]);
    await context.close();
  });

  test('that adds to the basket while an order is on its way, keeps what it added', async () => {
    const { page, context } = await site.visit();
    const [kettle, other] = await Promise.all([
      productBySku(site.shop, 'DEMO-KIT-05'),
      createProduct(site.shop, 'Sextant'),
    ]);
    await signIn(page, 'demo-buyer');
    await addToBasket(page, kettle.id);
    await page.goto('/checkout');
    await page.getByLabel('Street and number').waitFor();
    await fillAddress(page);
    const { hold, open } = gate();
    await page.route(isList, hold);
    const sent = page.waitForRequest(
      (request) => request.method() === 'POST' && isList(new URL(request.url())),
    );
    await order(page);
    await sent;
    await addToBasket(await context.newPage(), other.id);
    open();
    await heading(page, 'Thank you, your order is placed').waitFor();
    await page.getByRole('link', { name: 'Basket, 1 item' }).click();
    await main(page).getByRole('link', { name: 'Sextant' }).waitFor();
    await context.close();
  });
});

test('without storage an order can be placed', async () => {
  const { page, context, errors } = await site.visit();
  await context.addInitScript(() => {
    for (const name of ['localStorage', 'sessionStorage'])
      Object.defineProperty(globalThis, name, {
        get() {
          throw new DOMException('Access is denied', 'SecurityError');
        },
      });
  });
  await signIn(page, 'demo-buyer');
  await page.getByRole('searchbox').fill('kettle');
  await main(page).getByRole('link', { name: 'Kettle', exact: true }).click();
  await page.getByRole('button', { name: 'Add to basket' }).click();
  await page.getByRole('link', { name: 'Basket, 1 item' }).click();
  await page.getByRole('link', { name: 'Check out' }).click();
  await page.getByLabel('Street and number').waitFor();
  await fillAddress(page);
  await order(page);
  await heading(page, 'Thank you, your order is placed').waitFor();
  expect(errors).toEqual([]);
  await context.close();
});

describe('a script that cannot be loaded', () => {
  test('of a page is named, and can be tried again', async () => {
    const { page, context, errors } = await site.visit();
    await page.goto('/');
    await heading(page, 'Things you will keep.').waitFor();
    await page.route('**/assets/basket.page-*.js', away);
    await page.getByRole('link', { name: /^Basket/ }).click();
    const again = main(page).getByRole('button', { name: 'Try again' });
    await again.waitFor();
    await page.unroute('**/assets/basket.page-*.js');
    await again.click();
    await heading(page, 'Your basket is empty').waitFor();
    expect(errors).toEqual([]);
    await context.close();
  });

  test('of a language leaves the one that is shown', async () => {
    const { page, context } = await site.visit();
    await page.goto('/');
    await page.route('**/assets/de-*.js', away);
    const menu = page.getByLabel('Language');
    await menu.selectOption('de');
    await page.getByRole('status').getByText('This did not work.').waitFor();
    await expectSoon(() => menu.inputValue(), 'en');
    await context.close();
  });
});

describe('a list of orders', () => {
  test('that cannot be filtered says so, and does not show the others', async () => {
    const { page, context } = await site.visit();
    await signIn(page, 'demo-buyer');
    await page.goto('/orders');
    await orderLinks(page).first().waitFor();
    await page.route(isList, away);
    await page.getByRole('link', { name: 'Cancelled' }).click();
    const again = main(page).getByRole('button', { name: 'Try again' });
    await again.waitFor();
    expect(await orderLinks(page).count()).toBe(0);
    await page.unroute(isList);
    await again.click();
    await expectSoon(() => orderLinks(page).count(), 2);
    await context.close();
  });

  test('stays with its filter when older ones of another come late', async () => {
    const { page, context } = await site.visit();
    await signIn(page, 'demo-buyer');
    const { hold, open } = gate();
    await page.route(isList, (route) => {
      const url = route.request().url().replace('per_page=20', 'per_page=5');
      return url.includes('cursor=') ? hold(route) : route.continue({ url });
    });
    await page.goto('/orders');
    await page.getByRole('button', { name: 'Older orders' }).click();
    await page.getByRole('link', { name: 'Cancelled' }).click();
    await expectSoon(() => orderLinks(page).count(), 2);
    const late = page.waitForResponse((response) => response.url().includes('cursor='));
    open();
    await (await late).finished();
    // Time for the page to handle it.
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 300)));
    expect(await orderLinks(page).count()).toBe(2);
    await context.close();
  });
});

describe('a product', () => {
  test('that was seen before and is gone now is not offered again', async () => {
    const { page, context } = await site.visit();
    const { id, name } = await createProduct(site.shop, 'Barometer');
    await page.goto(`/products/${id}`);
    await heading(page, name).waitFor();
    await page.getByRole('link', { name: 'All products' }).click();
    await heading(page, 'All products').first().waitFor();
    await deleteProduct(site.shop, id);
    await page.goBack();
    await heading(page, 'This product is not sold any more').waitFor();
    await context.close();
  });

  test('is found under its number with a zero before it', async () => {
    const { page, context } = await site.visit();
    const { id } = await productBySku(site.shop, 'DEMO-KIT-05');
    await page.goto(`/products/0${id}`);
    await heading(page, 'Kettle').waitFor();
    await context.close();
  });

  test('can be taken out of the basket while the others cannot be read', async () => {
    const { page, context } = await site.visit();
    for (const sku of ['DEMO-KIT-05', 'DEMO-KIT-06'])
      await addToBasket(page, (await productBySku(site.shop, sku)).id);
    await page.getByRole('link', { name: 'Basket, 2 items' }).click();
    await page.getByRole('button', { name: 'Remove: Kettle' }).waitFor();
    await page.route('**/api/products?**', away);
    await page.getByRole('button', { name: 'Remove: Kettle' }).click();
    await page.getByRole('link', { name: 'Basket, 1 item' }).waitFor();
    await expectSoon(() => page.getByRole('button', { name: /^Remove: / }).count(), 1);
    expect(await main(page).getByRole('alert').count()).toBe(0);
    await context.close();
  });
});

test('a price filter takes a thousand with a separator for a thousand', async () => {
  const { page, context } = await site.visit();
  await page.goto('/products');
  await page.getByLabel('From', { exact: true }).fill('1,000');
  await page.getByLabel('To', { exact: true }).fill('2.000');
  await page.getByRole('button', { name: 'Apply' }).click();
  await page.waitForURL('**/products?min_price=1000&max_price=2000');
  await context.close();
});

describe('a seller', () => {
  test('who writes a thousand with a separator is asked, not taken for one', async () => {
    const { page, context } = await site.visit();
    await signIn(page, 'demo-seller');
    await page.goto('/selling/new');
    await page.getByLabel('Name', { exact: true }).fill('Chronometer');
    for (const [price, stock] of [
      ['1,000', '1.000'],
      ['1.000', '1,000'],
    ] as const) {
      await page.getByLabel(/^Price/).fill(price);
      await page.getByLabel(/^Stock/).fill(stock);
      await page.getByRole('button', { name: 'Save' }).click();
      await expectSoon(() => page.getByText('Please enter a number.').count(), 2);
    }
    await page.getByLabel(/^Price/).fill('1000,50');
    await page.getByLabel(/^Stock/).fill('1000');
    await page.getByRole('button', { name: 'Save' }).click();
    await heading(page, 'Chronometer').waitFor();
    await expectSoon(() => page.getByLabel(/^Price/).inputValue(), '1000.5');
    await context.close();
  });

  test('sees a message when the download of the products breaks off', async () => {
    const { page, context, errors } = await site.visit();
    await context.addInitScript(() => {
      const { fetch } = globalThis;
      globalThis.fetch = async (...request) => {
        if (!String(request[0]).includes('/export')) return fetch(...request);
        return new Response(new ReadableStream({ start: (body) => body.error(new TypeError('cut off')) }));
      };
    });
    await signIn(page, 'demo-seller');
    await page.goto('/selling/import');
    await page.getByRole('button', { name: 'CSV', exact: true }).click();
    await page.getByRole('status').getByText('This did not work.').waitFor();
    expect(errors).toEqual([]);
    await context.close();
  });
});
