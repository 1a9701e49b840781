import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { type Replica, startTestShop, type TestShop } from './support/test-shop.ts';
import { createExplainedDatabase, type PlanNode } from './support/watched-database.ts';

/** Largest number of rows that a page may read. */
const NEIGHBOURHOOD = 2000;
/** The limit of counted totals. */
const COUNTED = 10_001;

/** Milliseconds that a busy machine may need to insert the rows and their words. */
const FILLING = 180_000;

const explained = createExplainedDatabase();
let shop: TestShop;
let replica: Replica;

beforeAll(async () => {
  shop = await startTestShop();
  await shop.run(`
    INSERT INTO products (name, description, price_minor, stock, category, sku, owner_id, created_at, deleted_at)
    SELECT 'Thing ' || n % 997 || ' of ' || (ARRAY['steel', 'oak', 'glass'])[1 + n % 3], 'Number ' || n, n * 7919 % 50000,
           CASE WHEN n % 100 = 0 THEN 0 ELSE n % 50 + 1 END, 'Category ' || n % 40, 'S' || n, 1 + n % 300,
           now() - n * INTERVAL '1 second', CASE WHEN n % 50 = 1 THEN now() END
      FROM generate_series(1, 50000) AS n`);
  await shop.run('VACUUM (ANALYZE) products');
  replica = await shop.startReplica({ wrap: explained.wrap });
}, FILLING);
afterAll(() => shop.close());

const cursorOf = (...key: unknown[]) => Buffer.from(JSON.stringify(key)).toString('base64url');

const most = (nodes: PlanNode[]) =>
  Math.max(0, ...nodes.map((node) => node['Actual Rows'] * node['Actual Loops']));

async function planOf(path: string, { app } = replica) {
  explained.take();
  await request(app).get(path).expect(200);
  const nodes = explained.take();
  return {
    indexes: nodes.flatMap((node) => node['Index Name'] ?? []),
    scanned: nodes
      .filter((node) => node['Node Type'] === 'Seq Scan' && node['Relation Name'] === 'products')
      .map((node) => node['Actual Rows']),
    sorted: nodes
      .filter((node) => node['Node Type'].includes('Sort'))
      .map((node) =>
        Math.max(...(node.Plans ?? []).map((plan) => plan['Actual Rows'] * plan['Actual Loops'])),
      ),
    rows: most(nodes.filter((node) => node['Node Type'] !== 'Bitmap Index Scan')),
  };
}

describe('each list of 50,000 products is read from an index', () => {
  test.each([
    ['', 'products_pkey'],
    ['sort=-id', 'products_pkey'],
    [`cursor=${cursorOf('id', 40_000, 40_000)}`, 'products_pkey'],
    ['sort=price', 'products_listed_price'],
    ['sort=-price', 'products_listed_price'],
    [`sort=price&cursor=${cursorOf('price', 30_000, 1)}`, 'products_listed_price'],
    ['sort=name', 'products_listed_by_name'],
    ['sort=-name', 'products_listed_by_name'],
    [`sort=-name&cursor=${cursorOf('-name', 'Thing 5', 1)}`, 'products_listed_by_name'],
    ['sort=created_at', 'products_listed_created_at'],
    ['sort=-created_at', 'products_listed_created_at'],
    [`sort=-created_at&cursor=${cursorOf('-created_at', Date.now() - 3e6, 1)}`, 'products_listed_created_at'],
    ['category=Category%207', 'products_listed_category'],
    ['category=Category%207&sort=-id', 'products_listed_category'],
    ['category=Category%207&sort=price', 'products_listed_category_price'],
    ['category=Category%207&sort=-price&in_stock=true', 'products_listed_category_price'],
    ['category=Category%207&min_price=100&max_price=110', 'products_listed_category_price'],
    ['min_price=100&max_price=100.50', 'products_listed_price'],
    ['owner_id=17', 'products_listed_owner'],
    ['owner_id=17&in_stock=true&sort=name', 'products_listed_owner'],
    ['in_stock=false', 'products_listed_sold_out'],
    ['in_stock=true&sort=price', 'products_listed_price'],
    ['ids=3,30000,7', 'products_pkey'],
    ['q=4321', 'products_search'],
    ['q=thing&sort=relevance', 'products_pkey'],
    ['q=thing%20steel&sort=price', 'products_listed_price'],
    ['q=thing%20777&category=Category%207', 'products_search'],
    ['q=thing&owner_id=17', 'products_listed_owner'],
    ['q=glas&in_stock=true&sort=-created_at', 'products_listed_created_at'],
    ['q=stel&sort=name', 'products_listed_by_name'],
  ])('?%s from %s', async (query, index) => {
    const plan = await planOf(`/api/products?${query}`);
    expect(plan.indexes).toContain(index);
    expect(plan.scanned).toEqual([]);
    for (const rows of plan.sorted) expect(rows).toBeLessThanOrEqual(NEIGHBOURHOOD);
    expect(plan.rows).toBeLessThanOrEqual(COUNTED);
  });

  test('and so are a product and the categories', async () => {
    expect((await planOf('/api/products/77')).indexes).toEqual(['products_pkey']);
    const { scanned, rows } = await planOf('/api/products/categories?counts=true');
    expect(scanned).toEqual([]);
    expect(rows).toBeLessThan(100);
  });
});

describe('a beginning of words that a tenth of all products have is not taken for rare', () => {
  test.each([
    ['q=4', 'products_pkey'],
    ['q=number%204', 'products_pkey'],
    ['q=4&sort=price', 'products_listed_price'],
    ['q=thing%204&sort=-created_at', 'products_listed_created_at'],
  ])('?%s from %s', async (query, index) => {
    const reading = await shop.startReplica({ wrap: explained.wrap, fewMatches: 1000 });
    const plan = await planOf(`/api/products?${query}`, reading);
    expect(plan.indexes).toContain(index);
    expect(plan.rows).toBeLessThanOrEqual(COUNTED);
  });
});

describe('a change of stock', () => {
  test('updates no index, except when the last unit is sold', async () => {
    const columns = await shop.db.$queryRaw<{ name: string }[]>`
      SELECT DISTINCT a.attname AS name
        FROM pg_index i
        JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid AND d.refobjid = i.indrelid
        JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
       WHERE i.indrelid = 'products'::regclass`;
    const indexed = columns.map(({ name }) => name);
    expect(indexed).toEqual(expect.arrayContaining(['id', 'price_minor', 'available', 'lexemes']));
    for (const changed of ['stock', 'version', 'updated_at']) expect(indexed).not.toContain(changed);
  });

  test('leaves `available` as it is until then', async () => {
    const availableAfter = async (quantity: number) => {
      await shop.db.$queryRaw`
        SELECT id FROM reserve_stock(gen_random_uuid(), ARRAY[49], ARRAY[${quantity}::int], 'test')`;
      const [row] = await shop.db.$queryRaw<[{ available: boolean; stock: number }]>`
        SELECT available, stock FROM products WHERE id = 49`;
      return row;
    };
    expect(await availableAfter(49)).toEqual({ available: true, stock: 1 });
    expect(await availableAfter(1)).toEqual({ available: false, stock: 0 });
  });
});
