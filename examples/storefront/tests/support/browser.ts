import { isDeepStrictEqual } from 'node:util';
import { expect } from '@jest/globals';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

export async function openBrowser(): Promise<Browser> {
  const executablePath = process.env['CHROMIUM_PATH'];
  if (executablePath === undefined) throw new Error('CHROMIUM_PATH is not set: run the tests with npm test');
  // Chromium's own sandbox does not work as root, and in most containers.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

export const WIDE = { width: 1280, height: 900 };
export const PHONE = { width: 390, height: 844 };
/** Milliseconds. It only ends a test that would fail anyway: what a slow machine needs is well within it. */
const PATIENCE = 200_000;

export interface VisitOptions {
  url: string;
  viewport?: { width: number; height: number };
  colorScheme?: 'light' | 'dark';
  locale?: string;
  /** A screen that is touched. */
  hasTouch?: boolean;
}

export interface Visit {
  page: Page;
  context: BrowserContext;
  /** What the page has logged as an error, or thrown. */
  errors: string[];
}

/** A new visitor, without anything stored. Paths are relative to the storefront. */
export async function visit(browser: Browser, options: VisitOptions): Promise<Visit> {
  const { url, viewport = WIDE, colorScheme = 'light', locale = 'en-US', hasTouch = false } = options;
  const context = await browser.newContext({ baseURL: url, viewport, colorScheme, locale, hasTouch });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    // Chromium also logs each response from 400 on, and those are the shop's to give.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      errors.push(message.text());
  });
  return { page, context, errors };
}

/**
 * Reads the page until it shows what is expected: rows arrive later than their heading.
 * @throws what `expect` says of the last reading
 */
export async function expectSoon<T>(read: () => Promise<T>, expected: T): Promise<void> {
  const end = Date.now() + PATIENCE;
  let seen = await read();
  while (!isDeepStrictEqual(seen, expected) && Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    seen = await read();
  }
  expect(seen).toEqual(expected);
}

export async function signIn(page: Page, name: string, password = `${name}-password`): Promise<void> {
  await page.goto('/sign-in');
  await page.getByLabel('User name or email').fill(name);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL('**/account');
}

export async function fillAddress(page: Page): Promise<void> {
  await page.getByLabel('Name', { exact: true }).fill('Ada Lovelace');
  await page.getByLabel('Street and number').fill('12 St James Square');
  await page.getByLabel('Postal code').fill('SW1Y 4JH');
  await page.getByLabel('City').fill('London');
  await page.getByLabel('Country').selectOption('GB');
}

export async function signUp(page: Page, name: string): Promise<void> {
  await page.goto('/sign-up');
  await page.getByLabel('User name', { exact: true }).fill(name);
  await page.getByLabel('Email', { exact: true }).fill(`${name}@example.com`);
  await page.getByLabel('Password', { exact: true }).fill('a long enough one');
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.waitForURL('**/account');
}

/** Puts a product into the basket from its page. */
export async function addToBasket(page: Page, productId: number): Promise<void> {
  await page.goto(`/products/${productId}`);
  await page.getByRole('button', { name: 'Add to basket' }).click();
  await page.getByText('in your basket').first().waitFor();
}
