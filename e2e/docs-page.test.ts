import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Browser, chromium, type Page } from 'playwright-core';
import { type Stack, startStack, testServer } from './support/stack.ts';

let stack: Stack;
let browser: Browser;
beforeAll(async () => {
  const executablePath = process.env['CHROMIUM_PATH'];
  if (executablePath === undefined) throw new Error('CHROMIUM_PATH is not set: run the tests with npm test');
  // Chromium's own sandbox does not work as root, and in most containers.
  const args = ['--no-sandbox', '--disable-dev-shm-usage'];
  [stack, browser] = await Promise.all([
    startStack({ redisUrl: testServer('TEST_REDIS_URL') }),
    chromium.launch({ executablePath, args }),
  ]);
});
afterAll(() => Promise.all([stack?.close(), browser?.close()]));

/** `SCREENSHOTS=true` renews the screenshots in docs/: of the last response, without the token. */
async function draw(page: Page, name: string): Promise<void> {
  if (process.env['SCREENSHOTS'] !== 'true') return;
  const path = fileURLToPath(new URL(`../docs/images/${name}.png`, import.meta.url));
  await page.addStyleTag({ content: '.curl-command, .request-url { display: none }' });
  await page.locator('.opblock.is-open button.execute').evaluate('node => node.scrollIntoView()');
  await page.screenshot({ path });
}

/** Opens an operation on the page of a service. */
async function open(page: Page, url: string, tag: string, operationId: string) {
  // A hash alone would not load the page again.
  await page.goto('about:blank');
  await page.goto(`${url}/docs#/${tag}/${operationId}`);
  const operation = page.locator(`#operations-${tag}-${operationId}`);
  await operation.locator('button.execute').waitFor();
  return operation;
}

/** Sends the prefilled request. @returns the status of the response */
async function send(page: Page, url: string, tag: string, operationId: string): Promise<string> {
  const operation = await open(page, url, tag, operationId);
  await operation.locator('button.execute').click();
  const status = operation.locator('.live-responses-table .response .response-col_status').first();
  return ((await status.textContent()) ?? '').trim().slice(0, 3);
}

/** A page that records violations of its content security policy, and the hosts that it calls. */
async function openPage(width: number) {
  const page = await browser.newPage({ viewport: { width, height: 900 } });
  // It only ends a test that would fail anyway.
  page.setDefaultTimeout(200_000);
  const refused: string[] = [];
  const hosts = new Set<string>();
  page.on('console', (line) => {
    if (line.type() === 'error') refused.push(line.text());
  });
  page.on('pageerror', (error) => refused.push(error.message));
  page.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol.startsWith('http')) hosts.add(hostname);
  });
  return { page, refused, hosts };
}

describe('the page of /docs', () => {
  test('places an order with its prefilled requests, with one login for all services', async () => {
    const { page, refused, hosts } = await openPage(1280);
    const { user, product, order } = stack;
    await page.goto(user.url);
    expect(page.url()).toBe(`${user.url}/docs`);
    expect(await send(page, user.url, 'Users', 'registerUser')).toBe('201');
    expect(await send(page, user.url, 'Users', 'getMe')).toBe('200');
    expect(await send(page, user.url, 'Sessions', 'login')).toBe('200');
    expect(await send(page, product.url, 'Products', 'createProduct')).toBe('201');
    expect(await send(page, order.url, 'Orders', 'quoteOrder')).toBe('200');
    expect(await send(page, order.url, 'Orders', 'placeOrder')).toBe('201');
    await draw(page, 'docs-1280');
    expect(await send(page, order.url, 'Orders', 'getOrder')).toBe('200');
    expect(await send(page, order.url, 'Orders', 'cancelOrder')).toBe('200');
    // Registers a second user: the prefilled name is free.
    expect(await send(page, user.url, 'Users', 'registerUser')).toBe('201');
    expect(refused).toEqual([]);
    expect([...hosts]).toEqual([new URL(user.url).hostname]);
    await page.close();
  });

  test('forgets the token on logout', async () => {
    const { page } = await openPage(1280);
    await send(page, stack.user.url, 'Users', 'registerUser');
    await page.reload();
    await page.locator('.btn.authorize.locked').click();
    await page.locator('.modal-ux button:has-text("Logout")').click();
    await page.reload();
    await page.locator('.btn.authorize.unlocked').waitFor();
    await page.close();
  });

  test('fits a phone', async () => {
    const { page } = await openPage(390);
    const width = () => page.evaluate('document.documentElement.scrollWidth') as Promise<number>;
    for (const [url, tag, operationId] of [
      [stack.order.url, 'Orders', 'placeOrder'],
      [stack.product.url, 'Products', 'listProducts'],
      [stack.user.url, 'Users', 'registerUser'],
    ] as const) {
      await open(page, url, tag, operationId);
      expect([operationId, await width()]).toEqual([operationId, 390]);
    }
    expect(await send(page, stack.user.url, 'Users', 'registerUser')).toBe('201');
    expect(await send(page, stack.order.url, 'Orders', 'placeOrder')).toBe('201');
    await draw(page, 'docs-390');
    expect(await width()).toBe(390);
    await page.close();
  });
});
