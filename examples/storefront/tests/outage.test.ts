import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type RedisProcess, startRedisProcess } from '@shop/service-kit/testing/redis-process';
import type { Browser, Page } from 'playwright-core';
import { until } from '../../../e2e/support/process.ts';
import {
  addToBasket,
  expectSoon,
  fillAddress,
  openBrowser,
  signIn,
  type Visit,
  visit,
} from './support/browser.ts';
import { productBySku } from './support/catalogue.ts';
import { type Storefront, startStorefront } from './support/storefront.ts';

let redis: RedisProcess;
let shop: Storefront;
let browser: Browser;
let visitor: Visit;
let page: Page;
beforeAll(async () => {
  redis = await startRedisProcess();
  browser = await openBrowser();
  shop = await startStorefront({ redisUrl: redis.url });
  visitor = await visit(browser, shop);
  page = visitor.page;
  await signIn(page, 'demo-buyer');
});
afterAll(async () => {
  await browser.close();
  await shop.close();
  await redis.kill();
});

async function toCheckout(): Promise<void> {
  await addToBasket(page, (await productBySku(shop, 'DEMO-KIT-05')).id);
  await page.goto('/checkout');
  await page.getByLabel('Street and number').waitFor();
  await fillAddress(page);
}

const placed = (timeout = 20_000) =>
  page.getByRole('heading', { name: 'Thank you, your order is placed' }).waitFor({ timeout });
const order = () => page.getByRole('button', { name: /^Order now/ }).click();

describe('while Redis is stopped', () => {
  test('buyers notice nothing', async () => {
    await redis.kill();
    await page.goto('/products?q=kettle');
    await page.getByRole('link', { name: 'Kettle', exact: true }).waitFor();
    await toCheckout();
    await order();
    await placed();
    await redis.start();
  });
});

describe('while product-service is stopped', () => {
  test('the checkout says that nothing was ordered; afterwards the same button works', async () => {
    await toCheckout();
    await shop.stack.product.stop();
    await order();
    const alert = page.getByRole('alert').filter({ hasText: 'Nothing was ordered' });
    await alert.waitFor();
    await expectSoon(() => page.getByLabel('Street and number').inputValue(), '12 St James Square');
    await shop.stack.product.start();
    // Until order-service has found out what became of the first attempt, it asks to wait.
    await until('the same button places the order', async () => {
      await order();
      return placed(6_000).then(
        () => true,
        () => false,
      );
    });
    await page.goto('/orders');
    const orders = page.getByRole('link', { name: /^Order \d+$/ });
    await orders.first().waitFor();
    // Those of the seed, the one without Redis, and this one, once.
    await expectSoon(() => orders.count(), 15);
  });

  test('the catalogue says so, and comes back at the press of a button', async () => {
    await shop.stack.product.stop();
    await page.goto('/products');
    await page.getByRole('alert').getByText('The shop cannot be reached at the moment.').waitFor();
    await page.goto('/orders');
    await page
      .getByRole('link', { name: /^Order \d+$/ })
      .first()
      .waitFor();
    await page.goto('/products');
    const retry = page.getByRole('button', { name: 'Try again' });
    await retry.waitFor();
    await shop.stack.product.start();
    await retry.click();
    await page.getByText('200 products').waitFor();
    expect(visitor.errors).toEqual([]);
  });
});
