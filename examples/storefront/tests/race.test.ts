import { describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { addToBasket, fillAddress, signIn } from './support/browser.ts';
import { productBySku } from './support/catalogue.ts';
import { shopForTests } from './support/shop-for-tests.ts';

const site = shopForTests();

async function upToTheButton(page: Page, name: string, productId: number): Promise<void> {
  await signIn(page, name);
  await addToBasket(page, productId);
  await page.goto('/checkout');
  await page.getByLabel('Street and number').waitFor();
  await fillAddress(page);
}

describe('the last piece', () => {
  test('goes to one of two; the other sees that it is gone, and nothing is ordered', async () => {
    const { id, name } = await productBySku(site.shop, 'DEMO-KIT-11');
    const visits = await Promise.all([site.visit(), site.visit()]);
    const [one, other] = visits.map(({ page }) => page) as [Page, Page];
    await Promise.all([upToTheButton(one, 'demo-buyer', id), upToTheButton(other, 'demo-admin', id)]);
    await Promise.all([one, other].map((page) => page.getByRole('button', { name: /^Order now/ }).click()));

    const outcomeOf = (page: Page) =>
      Promise.race([
        page
          .getByRole('heading', { name: 'Thank you, your order is placed' })
          .waitFor()
          .then(() => 'ordered'),
        page
          .getByRole('dialog', { name: 'Somebody was faster' })
          .waitFor()
          .then(() => 'sold out'),
      ]);
    const outcomes = await Promise.all([outcomeOf(one), outcomeOf(other)]);
    expect([...outcomes].sort()).toEqual(['ordered', 'sold out']);

    const loser = outcomes[0] === 'sold out' ? one : other;
    await loser.getByText('you wanted 1, none is left').waitFor();
    await loser.getByRole('dialog').getByText(name).waitFor();
    await loser.getByRole('button', { name: 'Adjust my basket' }).click();
    await loser.getByRole('heading', { name: 'Your basket is empty' }).waitFor();
    expect((await productBySku(site.shop, 'DEMO-KIT-11')).stock).toBe(0);
    expect(visits.flatMap(({ errors }) => errors)).toEqual([]);
  });

  test('two tabs share one basket', async () => {
    const { page, context } = await site.visit();
    const second = await context.newPage();
    const { id } = await productBySku(site.shop, 'DEMO-KIT-05');
    await second.goto('/');
    await addToBasket(page, id);
    await second.getByRole('link', { name: 'Basket, 1 item' }).waitFor();
    await context.close();
  });
});
