import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { call } from '../../../e2e/support/http.ts';
import { freePort, startProcess, until } from '../../../e2e/support/process.ts';
import { type Stack, startStack } from '../../../e2e/support/stack.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

let stack: Stack;
let folder: string;
beforeAll(async () => {
  // Other tests use the files in examples/storefront/dist at the same time.
  folder = await mkdtemp(join(tmpdir(), 'storefront-'));
  stack = await startStack();
});
afterAll(async () => {
  await stack?.close();
  await rm(folder, { recursive: true, force: true });
});

/** What npm runs for `npm run storefront`. */
async function commandLine(): Promise<string[]> {
  const { scripts } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  return scripts.storefront.split(' ');
}

describe.each([
  ['npm run storefront', [], '/src/main.tsx'],
  ['npm run storefront -- --built', ['--built'], /\/assets\/index-[\w-]+\.js/],
])('%s', (_name, options, script) => {
  test('serves the page, its script and the API at one address, until it is stopped', async () => {
    const [program = '', ...args] = await commandLine();
    const port = await freePort();
    const env = {
      PORT: String(port),
      OUT_DIR: folder,
      USER_SERVICE_URL: stack.user.url,
      PRODUCT_SERVICE_URL: stack.product.url,
      ORDER_SERVICE_URL: stack.order.url,
    };
    const command = startProcess(program, [...args, ...options], { cwd: ROOT, env });
    try {
      const url = `http://localhost:${port}`;
      await until('the page is served', async () => command.hasEnded() || (await fetch(url)).ok);
      if (command.hasEnded()) throw new Error(command.output());
      const page = await (await fetch(`${url}/`)).text();
      expect(page).toContain('<title>Harbour</title>');
      const [path = ''] = new RegExp(script).exec(page) ?? [];
      const loaded = await fetch(url + path);
      expect([loaded.status, loaded.headers.get('content-type')]).toEqual([
        200,
        expect.stringContaining('javascript'),
      ]);
      const { status, body } = await call('GET', `${url}/api/products`);
      expect([status, body['products']]).toEqual([200, []]);
      // A page of the shop, not a file.
      expect(await (await fetch(`${url}/basket`)).text()).toBe(page);
    } finally {
      await command.stop();
    }
  });
});
