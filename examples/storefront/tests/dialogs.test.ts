import { describe, expect, test } from '@jest/globals';
import type { Locator, Page } from 'playwright-core';
import { overflowOf, violationsOf } from './support/accessibility.ts';
import { addToBasket, expectSoon, fillAddress, PHONE, signIn, signUp, WIDE } from './support/browser.ts';
import { changeProduct, createProduct, deleteProduct, productBySku } from './support/catalogue.ts';
import { shopForTests } from './support/shop-for-tests.ts';

const site = shopForTests();
let made = 0;
const newProduct = (name: string) => createProduct(site.shop, `${name} ${++made}`);
const button = (parent: Page | Locator, name: string | RegExp) => parent.getByRole('button', { name });

async function toCheckout(page: Page): Promise<void> {
  await page.goto('/checkout');
  await page.getByLabel('Street and number').waitFor();
  await fillAddress(page);
}

const order = (page: Page) => button(page, /^Order now/).click();

/** Opens a dialog; the page is that of a user who is signed in. @returns its title */
type Opening = (page: Page) => Promise<string>;

const priceChanged: Opening = async (page) => {
  const { id } = await newProduct('Lantern');
  await addToBasket(page, id);
  await toCheckout(page);
  await changeProduct(site.shop, id, { price: 12 });
  await order(page);
  return 'A price has changed';
};

const soldOut: Opening = async (page) => {
  const { id } = await newProduct('Lantern');
  await addToBasket(page, id);
  await toCheckout(page);
  await changeProduct(site.shop, id, { stock: 0 });
  await order(page);
  return 'Somebody was faster';
};

const gone: Opening = async (page) => {
  const { id } = await newProduct('Lantern');
  await addToBasket(page, id);
  await deleteProduct(site.shop, id);
  await page.goto('/checkout');
  return 'No longer on sale';
};

const conflict: Opening = async (page) => {
  const { id, price } = await productBySku(site.shop, 'DEMO-KIT-05');
  await page.goto(`/selling/${id}`);
  await page.getByLabel('Name', { exact: true }).fill('Gooseneck Kettle');
  await changeProduct(site.shop, id, { price: price + 1 });
  await button(page, 'Save').click();
  return 'Somebody else was here';
};

const deletingProduct: Opening = async (page) => {
  const { id } = await productBySku(site.shop, 'DEMO-KIT-05');
  await page.goto(`/selling/${id}`);
  await button(page, 'Delete product').click();
  return 'Delete this product?';
};

const deletingAccount: Opening = async (page) => {
  await page.goto('/account');
  await button(page, 'Delete account').click();
  return 'Delete your account?';
};

const cancelling: Opening = async (page) => {
  await page.goto('/orders/13');
  await button(page, 'Cancel this order').click();
  return 'Cancel this order?';
};

const deletingUser: Opening = async (page) => {
  await page.goto('/admin');
  await button(page, 'Delete: demo-buyer').click();
  return 'Delete demo-buyer?';
};

describe.each([
  ['on a phone, dark', { viewport: PHONE, colorScheme: 'dark' }],
  ['on a wide screen', { viewport: WIDE, colorScheme: 'light' }],
] as const)('%s, accessible and within the screen is the dialog', (_look, look) => {
  test.each([
    ['of a changed price', 'demo-buyer', priceChanged],
    ['of a sold-out product', 'demo-buyer', soldOut],
    ['of a product that is gone', 'demo-buyer', gone],
    ['of a conflict', 'demo-seller', conflict],
    ['before a product is deleted', 'demo-seller', deletingProduct],
    ['before an account is deleted', 'demo-buyer', deletingAccount],
    ['before an order is cancelled', 'demo-buyer', cancelling],
    ['before a user is deleted', 'demo-admin', deletingUser],
  ])('%s', async (_when, user, open) => {
    const { page, context, errors } = await site.visit(look);
    await signIn(page, user);
    const title = await open(page);
    const dialog = page.getByRole('dialog', { name: title });
    await dialog.waitFor();
    await expectSoon(() => page.evaluate(() => document.activeElement?.closest('dialog') !== null), true);
    expect(await violationsOf(page)).toEqual([]);
    expect(await overflowOf(page)).toBe(0);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(errors).toEqual([]);
    await context.close();
  });
});

describe('a basket that was refused', () => {
  async function buyerWith(names: string[]) {
    const visit = await site.visit();
    await signUp(visit.page, `buyer-${++made}`);
    const products = [];
    for (const name of names) {
      const product = await newProduct(name);
      await addToBasket(visit.page, product.id);
      products.push(product);
    }
    return { ...visit, products };
  }

  const linesOf = (dialog: Locator) => dialog.getByRole('listitem').allInnerTexts();
  const inWords = async (dialog: Locator) => (await linesOf(dialog)).map((text) => text.split(/\s*\n\s*/));

  test.each([
    ['before the address is asked for', false],
    ['after the address was entered', true],
  ])('names the products that are gone, and takes them out: %s', async (_when, isLate) => {
    const { page, context, products } = await buyerWith(['Lantern', 'Globe', 'Anchor']);
    const [lantern, globe, anchor] = products.map(({ name }) => name);
    if (isLate) await toCheckout(page);
    for (const { id } of products.slice(1)) await deleteProduct(site.shop, id);
    if (isLate) await order(page);
    else await page.goto('/checkout');
    const dialog = page.getByRole('dialog', { name: 'No longer on sale' });
    await dialog.waitFor();
    expect(await inWords(dialog)).toEqual([
      [globe, 'you wanted 1'],
      [anchor, 'you wanted 1'],
    ]);
    await button(dialog, 'Adjust my basket').click();
    await page.getByRole('link', { name: 'Basket, 1 item' }).waitFor();
    await page
      .getByRole('main')
      .getByRole('link', { name: lantern ?? '' })
      .waitFor();
    await page.getByRole('link', { name: 'Check out' }).click();
    await page.getByLabel('Street and number').waitFor();
    await context.close();
  });

  test('names the products of which too few are left, before the address is asked for', async () => {
    const { page, context, products } = await buyerWith(['Lantern', 'Globe']);
    const [lantern, globe] = products;
    await changeProduct(site.shop, globe?.id ?? 0, { stock: 0 });
    await page.goto('/checkout');
    const dialog = page.getByRole('dialog', { name: 'Somebody was faster' });
    await dialog.waitFor();
    expect(await inWords(dialog)).toEqual([[globe?.name, 'you wanted 1, none is left']]);
    await button(dialog, 'Adjust my basket').click();
    await page
      .getByRole('main')
      .getByRole('link', { name: lantern?.name ?? '' })
      .waitFor();
    await page.getByRole('link', { name: 'Basket, 1 item' }).waitFor();
    await context.close();
  });

  test('a product that is gone keeps its name in the basket', async () => {
    const { page, context, products } = await buyerWith(['Lantern']);
    await deleteProduct(site.shop, products[0]?.id ?? 0);
    await page.goto('/basket');
    await page.getByText('This product is not sold any more. Please remove it.').waitFor();
    await page
      .getByRole('main')
      .getByText(products[0]?.name ?? '', { exact: true })
      .waitFor();
    await context.close();
  });
});
