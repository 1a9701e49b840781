import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { applyMigrations } from '@shop/service-kit/postgres/migrate';
import { createTestDatabase, type TestDatabase } from '@shop/service-kit/testing/test-database';
import { Client } from 'pg';

const prismaFolder = join(import.meta.dirname, '../prisma');
const EXPAND = '20261126140000_search_by_words';
const VISIBLE_WITHIN = '20261126150000_search_by_words_only';

let older: string;
let database: TestDatabase;
let client: Client;
beforeAll(async () => {
  // The migrations of the previous release.
  older = await mkdtemp(join(tmpdir(), 'older-prisma-'));
  for (const name of await readdir(join(prismaFolder, 'migrations'))) {
    if (name < '20261126')
      await cp(join(prismaFolder, 'migrations', name), join(older, 'migrations', name), { recursive: true });
  }
  database = await createTestDatabase({ name: 'older_product', prismaFolder: older });
  client = new Client({ connectionString: database.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.drop();
  await rm(older, { recursive: true });
});

const rowsOf = async (sql: string) => (await client.query(sql)).rows;

test('products of the previous release get words and one spelling per category, while that release still works', async () => {
  await client.query(`
    INSERT INTO products (name, price_minor, stock, category, sku, owner_id)
    SELECT 'Kettle ' || n, 1, 1, CASE n % 3 WHEN 0 THEN 'AUDIO' WHEN 1 THEN 'Audio' ELSE U&'Mo\\0308bel' END, 'S-' || n, 1
      FROM generate_series(1, 1203) AS n`);
  await client.query('UPDATE products SET deleted_at = now() WHERE id = 7');
  const migrate = () => applyMigrations({ connectionString: database.url, prismaFolder });
  const applied = await migrate();
  expect(applied).toContain(EXPAND);
  expect(applied).not.toContain(VISIBLE_WITHIN);
  expect(
    await rowsOf(
      'SELECT category, sum(products)::int AS products FROM category_counts GROUP BY 1 HAVING sum(products) <> 0 ORDER BY 1',
    ),
  ).toEqual([
    { category: 'Audio', products: 801 },
    { category: 'Möbel', products: 401 },
  ]);
  expect(
    await rowsOf(`SELECT count(*)::int AS n, bool_and(version = 1) AS kept FROM products
                   WHERE deleted_at IS NULL AND lexemes @@ '''akettle'' & (''baudio'' | ''bmobel'')'`),
  ).toEqual([{ n: 1202, kept: true }]);
  // What the previous release sends.
  await client.query(
    "INSERT INTO products (name, price_minor, stock, category, owner_id) VALUES ('Steel teapot', 1, 1, 'audio', 2)",
  );
  expect(
    await rowsOf(`SELECT p.category FROM products p
                   WHERE search_terms(p.search, p.id) @@ search_query_in(search_query('teapot'), 0)`),
  ).toEqual([{ category: 'Audio' }]);
  expect(await migrate()).toEqual([VISIBLE_WITHIN]);
  expect(await rowsOf("SELECT name FROM products WHERE lexemes @@ '''ateapot'''")).toEqual([
    { name: 'Steel teapot' },
  ]);
});
