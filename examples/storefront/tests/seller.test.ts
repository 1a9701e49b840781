import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { expectSoon, signIn, type Visit } from './support/browser.ts';
import { changeProduct, productBySku } from './support/catalogue.ts';
import { shopForTests } from './support/shop-for-tests.ts';

const site = shopForTests();

function deferred() {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve: () => resolve() };
}

const heading = (page: Page, name: string | RegExp) => page.getByRole('heading', { name, level: 1 });

describe('a seller', () => {
  let visitor: Visit;
  let page: Page;
  beforeAll(async () => {
    visitor = await site.visit();
    page = visitor.page;
    await signIn(page, 'demo-seller');
  });
  afterAll(async () => {
    expect(visitor.errors).toEqual([]);
    await visitor.context.close();
  });

  test('creates a product, after an article number that is taken was refused', async () => {
    await page.goto('/selling');
    await page.getByText('200 products').waitFor();
    await page.getByRole('link', { name: 'New product' }).click();
    await page.getByLabel('Name').fill('Copper Kettle');
    await page.getByLabel('Price (USD)').fill('89,50');
    await page.getByLabel('Stock').fill('3');
    await page.getByLabel('Department').fill('Kitchen');
    await page.getByLabel('Article number').fill('DEMO-KIT-05');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.locator('.field__problem', { hasText: 'Another product has this article number.' }).waitFor();
    await page.getByLabel('Article number').fill('COPPER-1');
    await page.getByRole('button', { name: 'Save' }).click();
    await heading(page, 'Copper Kettle').waitFor();
    await page.getByRole('link', { name: 'See it in the shop' }).click();
    await page.getByText('$89.50').waitFor();
    await page.getByText('Only 3 left').waitFor();
  });

  test('changes the stock by a difference, and reads it in the ledger', async () => {
    await page.getByRole('link', { name: 'Edit this product' }).click();
    await heading(page, 'Copper Kettle').waitFor();
    await page.getByLabel('Difference').fill('-5');
    await page.getByRole('button', { name: 'Book' }).click();
    await page.getByRole('alert').getByText('There are not enough of them.').waitFor();
    await page.getByLabel('Difference').fill('10');
    await page.getByLabel('Reason').fill('Delivery');
    await page.getByRole('button', { name: 'Book' }).click();
    await page.getByRole('heading', { name: 'Stock: 13' }).waitFor();
    const row = page.getByRole('row', { name: /Delivery/ });
    await expectSoon(() => row.locator('td.number').allTextContents(), ['+10', '13']);
  });

  test('is asked when somebody else has changed the product meanwhile', async () => {
    const { id } = await productBySku(site.shop, 'DEMO-KIT-05');
    await page.goto(`/selling/${id}`);
    await page.getByLabel('Name').fill('Gooseneck Kettle');
    await changeProduct(site.shop, id, { price: 64 });
    await page.getByRole('button', { name: 'Save' }).click();
    const dialog = page.getByRole('dialog', { name: 'Somebody else was here' });
    await dialog.getByText('64', { exact: false }).first().waitFor();
    await dialog.getByRole('button', { name: 'Take what is there now' }).click();
    await dialog.waitFor({ state: 'detached' });
    await expectSoon(() => page.getByLabel('Price (USD)').inputValue(), '64');
    await expectSoon(() => page.getByLabel('Name').inputValue(), 'Kettle');

    await page.getByLabel('Name').fill('Gooseneck Kettle');
    await changeProduct(site.shop, id, { price: 65 });
    await page.getByRole('button', { name: 'Save' }).click();
    await dialog.getByRole('button', { name: 'Save mine all the same' }).click();
    await page.getByText('The changes are saved').waitFor();
    expect(await productBySku(site.shop, 'DEMO-KIT-05')).toMatchObject({
      name: 'Gooseneck Kettle',
      price: 64,
    });
  });

  test('checks a file, imports it, and reads which rows were refused', async () => {
    const file = {
      name: 'kettles.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from(
        'sku,name,price,stock\nK-1,Red Kettle,40,5\nK-2,No,12,5\nK-3,Blue Kettle,cheap,5\n',
      ),
    };
    await page.goto('/selling/import');
    await page.getByLabel('File (CSV or NDJSON)').setInputFiles(file);
    await page.getByLabel('Only check, write nothing').check();
    const shown = deferred();
    await page.route('**/api/products/import*', async (route) => {
      await shown.promise;
      await route.continue();
    });
    await page.getByRole('button', { name: 'Import' }).click();
    await page.getByRole('progressbar', { name: /Sending the file|The shop is writing/ }).waitFor();
    shown.resolve();
    await page.getByText('Checked only, nothing was written').waitFor();
    await page.unroute('**/api/products/import*');
    await page.getByLabel('Only check, write nothing').uncheck();
    await page.getByRole('button', { name: 'Import' }).click();
    await page.getByText('Checked only').waitFor({ state: 'detached' });
    await page.getByText('1 created').waitFor();
    const lines = page.getByRole('region', { name: 'Refused rows' }).locator('tbody tr td:first-child');
    await expectSoon(() => lines.allTextContents(), ['3', '4']);
  });

  test('exports what the import reads', async () => {
    await page.goto('/selling/import');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'CSV', exact: true }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('products.csv');
    const chunks: Buffer[] = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    expect(text.split(/\r?\n/).filter((line) => /^"?(DEMO-|COPPER-1|K-1)/.test(line)).length).toBe(202);
  });

  test('ships an order, step by step', async () => {
    await page.goto('/selling/orders?status=pending');
    const first = page.locator('.panel').filter({ has: page.getByRole('link', { name: 'Order 13' }) });
    await first.getByText('Robin Sample, Lindenstraße 12, 20099 Hamburg, Germany').waitFor();
    await first.getByRole('button', { name: 'Mark as: Being packed' }).click();
    await first.getByRole('button', { name: 'Mark as: On its way' }).click();
    await first.locator('.badge', { hasText: 'On its way' }).waitFor();
    await page.getByRole('link', { name: 'Order 13' }).click();
    const steps = page.locator('.timeline strong');
    await steps.nth(2).waitFor();
    await expectSoon(() => steps.allTextContents(), ['Received', 'Being packed', 'On its way']);
  });
});

describe('an admin', () => {
  test('finds a user, gives the role, and sees it in the audit trail', async () => {
    const { page, context, errors } = await site.visit();
    await signIn(page, 'demo-admin');
    await page.goto('/admin?q=demo-buyer');
    await page.getByRole('button', { name: 'Make admin: demo-buyer' }).click();
    await page.getByRole('button', { name: 'Make customer: demo-buyer' }).waitFor();
    await page.getByRole('link', { name: 'Audit trail' }).click();
    await page.getByRole('cell', { name: 'role_changed' }).first().waitFor();
    await page.getByRole('link', { name: 'All orders' }).click();
    await page.getByRole('link', { name: 'Order 12' }).waitFor();
    expect(errors).toEqual([]);
    await context.close();
  });

  test('shows a customer that these pages are for admins', async () => {
    const { page, context } = await site.visit();
    await signIn(page, 'demo-seller');
    await page.goto('/admin');
    await page.getByText('This page is for admins').waitFor();
    await context.close();
  });
});
