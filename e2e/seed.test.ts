import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { drawPicture } from '../examples/demo/pictures.ts';
import { call } from './support/http.ts';
import { startProcess } from './support/process.ts';
import { type Stack, startStack } from './support/stack.ts';

const COMMAND = new URL('../scripts/run.js', import.meta.url).pathname;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

/** Runs `npm run seed` on this stack. @returns its output */
async function seed(): Promise<string> {
  const command = startProcess('node', [COMMAND, 'examples/demo/seed.command.ts'], {
    env: {
      USER_SERVICE_URL: stack.user.url,
      PRODUCT_SERVICE_URL: stack.product.url,
      ORDER_SERVICE_URL: stack.order.url,
      USER_DATABASE_URL: stack.user.databaseUrl,
    },
  });
  if ((await command.ended()) !== 0) throw new Error(command.output());
  return command.output();
}

async function query<Row extends object>(url: string, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return (await client.query<Row>(sql).finally(() => client.end())).rows;
}

const contents = async () => ({
  products: await query(stack.product.databaseUrl, 'SELECT sku, stock, version FROM products ORDER BY sku'),
  movements: await query(stack.product.databaseUrl, 'SELECT count(*) FROM stock_movements'),
  orders: await query(stack.order.databaseUrl, 'SELECT id, status FROM orders ORDER BY id'),
  users: await query(stack.user.databaseUrl, 'SELECT username, role FROM users ORDER BY id'),
});

describe('npm run seed', () => {
  test('fills the shop, and changes nothing when it runs again', async () => {
    const output = await seed();
    expect(output).toContain('200 products created');
    expect(output).toMatch(/admin +demo-admin +demo-admin-password/);
    const before = await contents();
    const [counts] = await query(
      stack.product.databaseUrl,
      `SELECT count(*)::int AS products, count(DISTINCT category)::int AS categories,
              count(*) FILTER (WHERE stock = 0)::int AS sold_out, count(*) FILTER (WHERE stock = 1)::int AS last
         FROM products`,
    );
    expect(counts).toEqual({ products: 200, categories: 10, sold_out: 10, last: 10 });
    expect(new Set(before.orders.map((order) => (order as { status: string }).status))).toEqual(
      new Set(['pending', 'processing', 'shipped', 'delivered', 'cancelled']),
    );
    expect(before.users).toContainEqual({ username: 'demo-admin', role: 'admin' });

    expect(await seed()).toContain('were there already');
    expect(await contents()).toEqual(before);
  });

  test('gives every product a valid picture', async () => {
    const rows = await query<{ image_url: string }>(
      stack.product.databaseUrl,
      'SELECT image_url FROM products',
    );
    for (const { image_url } of rows) {
      const [, name = ''] = /^\/pictures\/([a-z-]+)\.svg$/.exec(image_url) ?? [];
      expect([image_url, drawPicture(name)]).toEqual([image_url, expect.stringMatching(/^<svg .*<\/svg>$/)]);
    }
    expect(drawPicture('kettle-nocolour')).toBeUndefined();
    expect(drawPicture('constructor-mint')).toBeUndefined();
  });

  test('lets the demo users sign in with the printed passwords', async () => {
    for (const username of ['demo-buyer', 'demo-seller', 'demo-admin']) {
      const body = { username, password: `${username}-password` };
      expect((await call('POST', `${stack.user.url}/api/users/login`, body)).status).toBe(200);
    }
  });
});
