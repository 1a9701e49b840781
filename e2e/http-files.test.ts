import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { call, shopFetch } from './support/http.ts';
import { type HttpRequest, requestsOf } from './support/http-file.ts';
import { sleep } from './support/process.ts';
import { type Stack, startStack } from './support/stack.ts';

const FOLDER = join(import.meta.dirname, '..', 'docs', 'http');
/** The user of the examples. As an admin this user may do everything, and cannot be deleted by the requests. */
const ADMIN = {
  ADMIN_USERNAME: 'ada_lovelace',
  ADMIN_EMAIL: 'ada_lovelace@example.com',
  ADMIN_PASSWORD: 'correct horse battery',
};
/** Codes of requests that are invalid, rather than impossible in the current state. */
const MISTAKES = [
  'internal',
  'malformed_request',
  'method_not_allowed',
  'not_found',
  'unauthenticated',
  'unsupported_media_type',
  'validation_failed',
];

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ env: ADMIN });
});
afterAll(() => stack.close());

/** Like `call`, but with the body exactly as in the file. */
async function send({ method, url, headers, body }: HttpRequest) {
  for (;;) {
    const response = await shopFetch(url, { method, headers, ...(body === '' ? {} : { body }) });
    const text = await response.text();
    const code = /"code":"(\w+)"/.exec(text)?.[1];
    // A 503 of a busy machine does not count.
    if (code !== 'unavailable') return { status: response.status, text, code };
    await sleep(500);
  }
}

test('every request of docs/http is valid', async () => {
  const addresses = { userUrl: stack.user.url, productUrl: stack.product.url, orderUrl: stack.order.url };
  // The file that changes the password comes last, because the others sign in with the first password.
  const files = (await readdir(FOLDER)).toSorted(
    (a, b) => Number(a === 'passwords.http') - Number(b === 'passwords.http'),
  );
  const products = { name: 'Desk lamp', price: 39.9, stock: 50, sku: 'FIRST' };
  const credentials = { username: ADMIN.ADMIN_USERNAME, password: ADMIN.ADMIN_PASSWORD };
  const signIn = async () => {
    const { body, text } = await call('POST', `${stack.user.url}/api/users/login`, credentials);
    if (body['tokens'] === undefined) throw new Error(`after ${done.join(', ')}: ${text}`);
    return body['tokens'] as unknown as Record<string, string>;
  };
  const done: string[] = [];
  const mistakes: string[] = [];
  const { access_token: token = '' } = await signIn();
  await call('POST', `${stack.product.url}/api/products`, products, { token });
  for (const file of files) {
    const text = await readFile(join(FOLDER, file), 'utf8');
    const names = requestsOf(text).map(({ name }) => name);
    for (const name of names.filter((one) => !done.includes(one))) {
      // Each signs in again, because some of them sign out.
      const { access_token: accessToken = '', refresh_token: refreshToken = '' } = await signIn();
      const values = { ...addresses, accessToken, refreshToken, $guid: crypto.randomUUID() };
      const block = requestsOf(text, values).find((one) => one.name === name);
      if (block === undefined) throw new Error(`There is no ${name} in ${file}`);
      const { status, code, text: response } = await send(block);
      done.push(name);
      if (name === 'changePassword' && status === 200)
        credentials.password = JSON.parse(block.body).new_password;
      if (status >= 500 || (code !== undefined && MISTAKES.includes(code)))
        mistakes.push(`${name}: ${response}`);
    }
  }
  expect(mistakes).toEqual([]);
  const document = await readFile(join(FOLDER, '..', 'openapi.json'), 'utf8');
  const operations = [...document.matchAll(/"operationId": "(\w+)"/g)].map(([, id]) => id);
  expect(done.toSorted()).toEqual(operations.toSorted());
});
