import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { until } from '../../../e2e/support/process.ts';
import { addToBasket, expectSoon, fillAddress, signIn, type Visit } from './support/browser.ts';
import { changeProduct, productBySku } from './support/catalogue.ts';
import { shopForTests } from './support/shop-for-tests.ts';

const site = shopForTests();

const heading = (page: Page, name: string | RegExp) => page.getByRole('heading', { name, level: 1 });

describe('a buyer', () => {
  let visitor: Visit;
  let page: Page;
  beforeAll(async () => {
    visitor = await site.visit();
    page = visitor.page;
  });
  afterAll(async () => {
    expect(visitor.errors).toEqual([]);
    await visitor.context.close();
  });

  test('finds a product while typing, with the words in the address', async () => {
    await page.goto('/');
    await page.getByRole('searchbox').pressSequentially('ketle', { delay: 20 });
    await page.getByRole('link', { name: 'Kettle', exact: true }).waitFor();
    expect(new URL(page.url()).search).toBe('?q=ketle');
    await page.reload();
    await page.getByRole('link', { name: 'Kettle', exact: true }).click();
    await heading(page, 'Kettle').waitFor();
  });

  test('narrows the list by filters that a link can carry, and goes back', async () => {
    await page.goto('/products');
    await page.getByRole('link', { name: 'Garden 20' }).click();
    await heading(page, 'Garden').waitFor();
    await page.getByLabel('From').fill('50');
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.getByLabel('In stock only').check();
    await page.getByLabel('Sort by').selectOption('price');
    await page.waitForURL('**/products?category=Garden&min_price=50&in_stock=true&sort=price');
    await page.getByText('5 products').waitFor();
    await expectSoon(
      () => page.locator('.card__price').allTextContents(),
      ['$54.00', '$59.00', '$69.00', '$89.00', '$129.00'],
    );
    await page.goBack();
    await page.waitForURL('**/products?category=Garden&min_price=50&in_stock=true');
  });

  test('keeps the basket over a reload, and cannot take more than there is', async () => {
    const { id, name } = await productBySku(site.shop, 'DEMO-KIT-05');
    const last = await productBySku(site.shop, 'DEMO-KIT-11');
    await page.goto(`/products/${id}`);
    await page.getByRole('button', { name: 'One more' }).click();
    await page.getByRole('button', { name: 'Add to basket' }).click();
    await addToBasket(page, last.id);
    await page.getByText('All that we have is in your basket').waitFor();
    await page.goto('/basket');
    await page.reload();
    await page.getByRole('link', { name: 'Basket, 3 items' }).waitFor();
    await expectSoon(() => page.getByLabel(`Quantity: ${name}`).last().inputValue(), '2');
    const more = page.getByRole('group', { name: `Quantity: ${last.name}` }).getByLabel('One more');
    await expectSoon(() => more.isDisabled(), true);
    await page.getByRole('button', { name: `Remove: ${last.name}` }).click();
    await page.getByText(last.name, { exact: true }).waitFor({ state: 'detached' });
  });

  test('opens an account on the way to the checkout, and sees what is wrong in each field', async () => {
    await page.getByRole('link', { name: 'Check out' }).click();
    await heading(page, 'Welcome back').waitFor();
    await page.getByRole('link', { name: 'Create account' }).click();
    await page.getByLabel('User name', { exact: true }).fill('demo-buyer');
    await page.getByLabel('Email', { exact: true }).fill('ada@example.com');
    await page.getByLabel('Password', { exact: true }).fill('short');
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByText('At least 8 characters, please.').waitFor();
    await expectSoon(() => page.getByLabel('Password', { exact: true }).getAttribute('aria-invalid'), 'true');
    await page.getByLabel('Password', { exact: true }).fill('a long enough one');
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.locator('.field__problem', { hasText: 'This user name is taken.' }).waitFor();
    await page.getByLabel('User name', { exact: true }).fill('ada');
    await page.getByRole('button', { name: 'Create account' }).click();
    await heading(page, 'Check out').waitFor();
  });

  test('sees a price that changed meanwhile, accepts it, and has ordered once', async () => {
    const { id, price } = await productBySku(site.shop, 'DEMO-KIT-05');
    await page.getByRole('button', { name: 'Order now · $118.00' }).click();
    await page.locator('.field__problem').first().waitFor();
    await fillAddress(page);
    await changeProduct(site.shop, id, { price: price + 3 });
    await page.getByRole('button', { name: 'Order now · $118.00' }).click();
    const dialog = page.getByRole('dialog', { name: 'A price has changed' });
    await dialog.getByText('$62.00').waitFor();
    await dialog.getByRole('button', { name: 'Order for $124.00' }).click();
    await heading(page, 'Thank you, your order is placed').waitFor();
    await page.getByRole('link', { name: 'Basket, 0 items' }).waitFor();
    await page.goto('/orders');
    await page.getByText('Spent so far: $124.00').waitFor();
    await page
      .getByRole('link', { name: /^Order \d+$/ })
      .first()
      .waitFor();
    await expectSoon(() => page.getByRole('link', { name: /^Order \d+$/ }).count(), 1);
    await page.locator(`.order-row__pictures img[src^="/pictures/"]`).waitFor();
  });

  test('cancels the order, and the stock comes back', async () => {
    const before = await productBySku(site.shop, 'DEMO-KIT-05');
    await page.getByRole('link', { name: /^Order \d+$/ }).click();
    await page.getByRole('button', { name: 'Cancel this order' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Cancel this order' }).click();
    await page.getByText('The order is cancelled').waitFor();
    await page.locator('.badge', { hasText: 'Cancelled' }).waitFor();
    await until('the stock is back', async () => {
      const { stock } = await productBySku(site.shop, 'DEMO-KIT-05');
      return stock === before.stock + 2;
    });
    await expectSoon(() => page.getByRole('button', { name: 'Cancel this order' }).count(), 0);
  });
});

describe('a buyer with an account', () => {
  test('chooses a new password by the mailed link', async () => {
    const { page, context, errors } = await site.visit();
    await page.goto('/sign-in');
    await page.getByRole('link', { name: 'Forgotten your password?' }).click();
    await page.getByLabel('Email', { exact: true }).fill('demo-buyer@example.com');
    await page.getByRole('button', { name: 'Send the link' }).click();
    await heading(page, 'Look into your mailbox').waitFor();
    let link = '';
    await until('the mail is written', async () => {
      link =
        /http:\/\/\S+\/reset-password\?token=[\w-]+/.exec(site.shop.stack.user.process.output())?.[0] ?? '';
      return link !== '';
    });
    await page.goto(link);
    await page.getByLabel('New password').fill('another long password');
    await page.getByRole('button', { name: 'Save the new password' }).click();
    await page.getByText('The new password is saved.').waitFor();
    await page.getByLabel('User name or email').fill('demo-buyer@example.com');
    await page.getByLabel('Password', { exact: true }).fill('another long password');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await heading(page, 'Account').waitFor();
    expect(errors).toEqual([]);
    await context.close();
  });

  test('signs another device out', async () => {
    const [here, there] = await Promise.all([site.visit(), site.visit()]);
    await signIn(here.page, 'demo-admin');
    await signIn(there.page, 'demo-admin');
    await here.page.reload();
    const others = here.page.getByRole('button', { name: /^Sign out: Chrome/ });
    await others.first().click();
    await here.page.getByText('The device was signed out').waitFor();
    await until('the other device is out', async () => {
      await there.page.goto('/orders');
      await there.page.waitForURL(/\/(sign-in|orders)/);
      return there.page
        .getByRole('heading', { name: 'Welcome back' })
        .waitFor({ timeout: 1_500 })
        .then(() => true);
    });
    await Promise.all([here.context.close(), there.context.close()]);
  });

  test('goes on after the access token has expired, without noticing', async () => {
    const { page, context } = await site.visit();
    await signIn(page, 'demo-seller');
    // As after an hour: the token is refused, and its time is up by the clock of this browser.
    const before = await page.evaluate(() => {
      const tokens = JSON.parse(localStorage.getItem('shop.tokens') ?? '{}');
      const spoilt = { ...tokens, access_token: `${tokens.access_token.slice(0, -4)}aaaa`, expires_at: 1 };
      localStorage.setItem('shop.tokens', JSON.stringify(spoilt));
      return tokens.refresh_token as string;
    });
    await page.goto('/orders');
    await heading(page, 'My orders').waitFor();
    await page.getByRole('heading', { name: 'No orders yet' }).waitFor();
    const after = await page.evaluate(
      () => JSON.parse(localStorage.getItem('shop.tokens') ?? '{}').refresh_token as string,
    );
    expect(after).not.toBe(before);
    await context.close();
  });

  test('deletes the account after typing its name', async () => {
    const { page, context } = await site.visit();
    await page.goto('/sign-up');
    await page.getByLabel('User name', { exact: true }).fill('leaving');
    await page.getByLabel('Email', { exact: true }).fill('leaving@example.com');
    await page.getByLabel('Password', { exact: true }).fill('a long enough one');
    await page.getByRole('button', { name: 'Create account' }).click();
    await heading(page, 'Account').waitFor();
    await page.getByRole('button', { name: 'Delete account' }).click();
    const confirm = page.getByRole('button', { name: 'Delete it for good' });
    await expectSoon(() => confirm.isDisabled(), true);
    await page.getByLabel('Type leaving to confirm').fill('leaving');
    await confirm.click();
    await page.getByText('Your account was deleted').waitFor();
    await page.getByRole('link', { name: 'Sign in' }).waitFor();
    await context.close();
  });
});
