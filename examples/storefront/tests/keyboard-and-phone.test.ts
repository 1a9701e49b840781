import { describe, expect, test } from '@jest/globals';
import type { Locator, Page } from 'playwright-core';
import { overflowOf } from './support/accessibility.ts';
import { addToBasket, expectSoon, fillAddress, PHONE, signIn } from './support/browser.ts';
import { createProduct } from './support/catalogue.ts';
import { shopForTests } from './support/shop-for-tests.ts';

const site = shopForTests();
/** More than any page has that can get the focus. */
const STEPS_AT_MOST = 150;

const heading = (page: Page, name: string) => page.getByRole('heading', { name, level: 1, exact: true });
const hasFocus = (target: Locator) => target.evaluate((element) => element === document.activeElement);

/** Moves the focus as somebody without a mouse does. */
async function moveTo(page: Page, target: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  await target.waitFor();
  for (let step = 0; step < STEPS_AT_MOST; step++) {
    if (await hasFocus(target)) return;
    await page.keyboard.press(key);
  }
  throw new Error(`${key} does not lead to ${target}`);
}

async function press(page: Page, target: Locator, key?: 'Shift+Tab'): Promise<void> {
  await moveTo(page, target, key);
  await page.keyboard.press('Enter');
}

async function type(page: Page, label: string, text: string): Promise<void> {
  await moveTo(page, page.getByLabel(label, { exact: true }));
  await page.keyboard.type(text);
}

/** The heading of a new page gets the focus, so that the next key goes on from there. */
async function arriveAt(page: Page, title: string): Promise<void> {
  await heading(page, title).waitFor();
  await expectSoon(() => hasFocus(heading(page, title)), true);
}

test('an order is placed and cancelled by keyboard alone', async () => {
  const { page, context, errors } = await site.visit();
  await page.goto('/');
  await heading(page, 'Things you will keep.').waitFor();
  await moveTo(page, page.getByRole('searchbox'));
  await page.keyboard.type('kettle');
  await page.waitForURL('**/products?q=kettle');
  await press(page, page.getByRole('link', { name: 'Kettle', exact: true }));
  await arriveAt(page, 'Kettle');
  await press(page, page.getByRole('button', { name: 'One more' }));
  await press(page, page.getByRole('button', { name: 'Add to basket' }));
  await press(page, page.getByRole('link', { name: 'Basket, 2 items' }), 'Shift+Tab');
  await arriveAt(page, 'Basket');
  await press(page, page.getByRole('link', { name: 'Check out' }));
  await arriveAt(page, 'Welcome back');
  await type(page, 'User name or email', 'demo-buyer');
  await type(page, 'Password', 'demo-buyer-password');
  await page.keyboard.press('Enter');
  await arriveAt(page, 'Check out');
  await type(page, 'Name', 'Ada Lovelace');
  // From Germany, of the address that was used last.
  await moveTo(page, page.getByLabel('Country'));
  await page.keyboard.press('ArrowDown');
  await expectSoon(() => page.getByLabel('Country').inputValue(), 'GH');
  await press(page, page.getByRole('button', { name: /^Order now/ }));
  await arriveAt(page, 'Thank you, your order is placed');
  await press(page, page.getByRole('button', { name: 'Cancel this order' }));
  const dialog = page.getByRole('dialog', { name: 'Cancel this order?' });
  await press(page, dialog.getByRole('button', { name: 'Cancel this order' }));
  await page.locator('.badge', { hasText: 'Cancelled' }).waitFor();
  expect(errors).toEqual([]);
  await context.close();
});

test('an order is placed on a phone, and no step is wider than its screen', async () => {
  const { page, context, errors } = await site.visit({ viewport: PHONE, hasTouch: true });
  const tap = (role: 'button' | 'link', name: string | RegExp) => page.getByRole(role, { name }).tap();
  const widths: Record<string, number> = {};
  const measure = async (step: string) => {
    widths[step] = await overflowOf(page);
  };
  await page.goto('/');
  await page.getByRole('link', { name: 'Kitchen 20 products' }).tap();
  await heading(page, 'Kitchen').waitFor();
  await page.getByText('Filters', { exact: true }).tap();
  await measure('filters');
  await page.getByLabel('In stock only').tap();
  await page.waitForURL('**/products?category=Kitchen&in_stock=true');
  await page.getByRole('link', { name: 'Kettle', exact: true }).tap();
  await heading(page, 'Kettle').waitFor();
  await tap('button', 'Add to basket');
  await page.getByText('Kettle is in your basket').waitFor();
  await measure('product with a message');
  await tap('link', 'Basket, 1 item');
  await heading(page, 'Basket').waitFor();
  await tap('button', 'One more');
  await page.getByRole('link', { name: 'Basket, 2 items' }).waitFor();
  await measure('basket');
  await tap('link', 'Check out');
  await heading(page, 'Welcome back').waitFor();
  await tap('link', 'Create account');
  await page.getByLabel('User name', { exact: true }).fill('on-the-way');
  await page.getByLabel('Email', { exact: true }).fill('on-the-way@example.com');
  await page.getByLabel('Password', { exact: true }).fill('a long enough one');
  await measure('account');
  await tap('button', 'Create account');
  await heading(page, 'Check out').waitFor();
  await tap('button', /^Order now/);
  await page.locator('.field__problem').first().waitFor();
  await measure('refused address');
  await fillAddress(page);
  await tap('button', /^Order now/);
  await heading(page, 'Thank you, your order is placed').waitFor();
  await measure('order');
  await tap('button', 'Account: on-the-way');
  await measure('menu');
  await tap('link', 'My orders');
  await heading(page, 'My orders').waitFor();
  await page
    .getByRole('link', { name: /^Order \d+$/ })
    .first()
    .waitFor();
  await measure('orders');
  expect(Object.entries(widths).filter(([, pixels]) => pixels > 0)).toEqual([]);
  expect(Object.keys(widths)).toHaveLength(8);
  expect(errors).toEqual([]);
  await context.close();
});

test('words without a space, however long, make no page wider than a phone', async () => {
  const long = (length: number) => 'Wm'.repeat(length / 2);
  const { id } = await createProduct(site.shop, long(200), {
    category: long(100),
    sku: long(64),
    description: long(400),
  });
  const { page, context } = await site.visit({ viewport: PHONE });
  const widths: Record<string, number> = {};
  const measure = async (path: string, text = 'WmWm') => {
    await page.goto(path);
    await page.getByRole('main').getByText(text).filter({ visible: true }).first().waitFor();
    widths[path] = await overflowOf(page);
  };
  await signIn(page, 'demo-seller');
  await measure('/');
  await measure('/products?sort=-created_at');
  await measure(`/products?q=${long(200)}`);
  await addToBasket(page, id);
  await measure(`/products/${id}`);
  await measure('/basket');
  await measure('/checkout');
  await fillAddress(page);
  for (const label of ['Street and number', 'City']) await page.getByLabel(label).fill(long(200));
  await page.getByLabel('Note for the seller').fill(long(900));
  await page.getByRole('button', { name: /^Order now/ }).click();
  await heading(page, 'Thank you, your order is placed').waitFor();
  await measure(new URL(page.url()).pathname);
  await measure('/orders');
  await measure('/selling');
  await measure(`/selling/${id}`);
  await measure('/selling/orders');
  expect(Object.entries(widths).filter(([, pixels]) => pixels > 0)).toEqual([]);
  await context.close();
});

test('the next page of a list begins at its top', async () => {
  const { page, context } = await site.visit({ viewport: PHONE });
  await page.goto('/products');
  await page.getByRole('link', { name: 'Next' }).click();
  await page.locator('[aria-current="page"]', { hasText: '2' }).waitFor();
  await expectSoon(() => page.evaluate(() => scrollY), 0);
  await context.close();
});

describe('the theme', () => {
  const background = (page: Page) =>
    page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);

  test('is that of the system, until the visitor chooses the other', async () => {
    const { page, context } = await site.visit({ colorScheme: 'light' });
    await page.goto('/');
    const toDark = page.getByRole('button', { name: 'Switch to dark colours' });
    const toLight = page.getByRole('button', { name: 'Switch to light colours' });
    await toDark.waitFor();
    const light = await background(page);
    await page.emulateMedia({ colorScheme: 'dark' });
    await toLight.waitFor();
    const dark = await background(page);
    expect(dark).not.toBe(light);
    await toLight.click();
    await toDark.waitFor();
    expect(await background(page)).toBe(light);
    await context.close();
  });

  test('that was chosen is there before the first script of the page, after a reload and in other tabs', async () => {
    const { page, context } = await site.visit({ colorScheme: 'light' });
    await page.goto('/');
    await page.getByRole('button', { name: 'Switch to dark colours' }).click();
    await page.getByRole('button', { name: 'Switch to light colours' }).waitFor();
    const dark = await background(page);
    // Without the page's own files: only what is in the document itself.
    await page.route('**/*.js', (route) => route.abort());
    await page.reload();
    expect(await page.locator('html').getAttribute('data-theme')).toBe('dark');
    expect(await background(page)).toBe(dark);
    const tab = await context.newPage();
    await tab.goto('/basket');
    await tab.getByRole('button', { name: 'Switch to light colours' }).waitFor();
    await context.close();
  });
});

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
