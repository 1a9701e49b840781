import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Express } from 'express';
import request from 'supertest';
import { type ModelProduct, searchModel } from './support/search.model.ts';
import { type Replica, startTestShop, type TestShop } from './support/test-shop.ts';

/** 100,000 where a machine has the time: every kind of query is compared row by row with a model that looks at each product. */
const SIZE = Number(process.env['SEARCH_MODEL_SIZE'] ?? 700);
const FILLING = 60_000 + SIZE * 10;
const LAST_SKU = SIZE - (SIZE % 3);

let shop: TestShop;
/** A service that walks along a sort index, where it would otherwise read all matches of such a small catalogue. */
let walking: Replica;
let products: ModelProduct[];

beforeAll(async () => {
  shop = await startTestShop();
  walking = await shop.startReplica({ fewMatches: 5 });
  // Names of one to four words; frequent and rare ones, long and short ones, of several scripts.
  await shop.run(`
    INSERT INTO products (name, description, price_minor, stock, category, sku, owner_id, created_at, deleted_at)
    SELECT w[1 + h % 7] || CASE WHEN n % 3 = 0 THEN ' ' || w[1 + h / 7 % 23] ELSE '' END
             || CASE WHEN n % 2 = 0 THEN '-' || w[1 + h / 161 % 23] ELSE '' END || CASE WHEN n % 5 = 0 THEN ' ' || n % 97 ELSE '' END,
           CASE WHEN n % 4 > 0 THEN w[1 + h / 3703 % 23] || '/' || w[1 + h / 31 % 23] || ' plain' END,
           h % 90, n % 3, w[1 + h % 19] || CASE WHEN n % 2 = 0 THEN ' goods' ELSE '' END,
           CASE WHEN n % 3 = 0 THEN 'SK-' || n || CASE WHEN n % 6 = 0 THEN '/steel' ELSE '' END END, 1 + n % 9,
           TIMESTAMPTZ '2026-01-01' + h % 1000 * INTERVAL '1 minute', CASE WHEN n % 31 = 0 THEN now() END
      FROM generate_series(1, ${SIZE}) AS n, LATERAL (SELECT (hashint4(n) & 1048575) AS h) AS random,
           LATERAL (SELECT ARRAY['Steel', 'steelwork', 'Kettle', 'Äpfel', 'apple', 'Straße', '茶壶', 'Oak', 'oaken', 'Чайник', 'чай',
             '東京都', '京都', 'Οδυσσεύς', 'שמח', 'سجادة', 'केतली', 'กาน้ำชา', '주전자', 'Über', 'RAL 7016', 'A4', 'Zebra'] AS w) AS words`);
  await shop.run('VACUUM ANALYZE products');
  products = await shop.db.$queryRaw<ModelProduct[]>`
      SELECT id, name, category, sku, description, price_minor::int AS price, to_json(created_at)::text AS created_at
        FROM products WHERE deleted_at IS NULL`;
}, FILLING);
afterAll(() => shop.close());

/** Every page of a search, by cursor. */
async function walked(app: Express, q: string, sort: string, filter: string): Promise<number[]> {
  const ids: number[] = [];
  let cursor: string | null = null;
  do {
    const { body }: { body: { products: { id: number }[]; next_cursor: string | null } } = await request(app)
      .get(
        `/api/products?q=${encodeURIComponent(q)}&sort=${sort}&per_page=100${filter}${cursor === null ? '' : `&cursor=${cursor}`}`,
      )
      .expect(200);
    ids.push(...body.products.map(({ id }) => id));
    cursor = body.next_cursor;
  } while (cursor !== null);
  return ids;
}

const SORTS = ['relevance', 'id', '-id', 'price', '-price', 'name', '-name', 'created_at', '-created_at'];
const QUERIES = [
  'steel',
  'ste',
  's',
  'steel kettle',
  'kettle steel a4',
  'apf',
  'strasse',
  '茶壶',
  '東京都',
  '京',
  'чай',
  'οδυσσευσ',
  'שמח',
  'سجادة',
  'केतली',
  'น้ำ',
  '주전',
  'ral 70',
  'plain',
  'goods plain oak',
  '7',
  'sk 1',
  '1 steel',
  // One product, or few.
  String(LAST_SKU),
  `sk-${LAST_SKU}`,
];
/** What is typed, and what is meant: no product has the typed words. */
const MISTYPED = [
  ['ketlte', 'kettle'],
  ['steel ketlte', 'steel kettle'],
  ['steelwrok', 'steelwork'],
  ['οδυσεσυς', 'οδυσσευς'],
  ['سجدة', 'سجادة'],
  ['केलती', 'केतली'],
] as const;

describe.each([
  ['all matches are read', () => shop.app],
  ['matches are walked to', () => walking.app],
])('paged to the end with %s, a search equals a scan of every product:', (_way, app) => {
  test.each(QUERIES)('%s', async (q) => {
    const first = QUERIES.indexOf(q);
    // Each query with relevance and three other orders, each order with some queries.
    const sorts = ['relevance', ...[0, 1, 2].map((n) => SORTS[(first + n * 3) % SORTS.length] ?? 'id')];
    for (const sort of sorts) {
      const expected = searchModel(products, q, sort);
      expect(expected.length).toBeGreaterThan(q.includes(String(LAST_SKU)) ? 0 : 5);
      expect({ sort, ids: await walked(app(), q, sort, '') }).toEqual({ sort, ids: expected });
    }
  });

  test.each(MISTYPED)('%s, meant as %s', async (q, meant) => {
    for (const sort of SORTS) {
      expect(searchModel(products, q, sort)).toEqual([]);
      const expected = searchModel(products, meant, sort, true);
      expect(expected.length).toBeGreaterThan(5);
      expect({ sort, ids: await walked(app(), q, sort, '') }).toEqual({ sort, ids: expected });
    }
  });

  test.each([
    ['steel', '茶壶 goods'],
    ['ste', 'Steel'],
    ['केतली', 'oaken'],
    ['чай', '京都 goods'],
    ['plain 京', 'Steelwork GOODS'],
  ])('%s in the category %s, up to a price', async (q, category) => {
    const name = category === 'Steelwork GOODS' ? 'steelwork goods' : category;
    const cheap = products.filter((product) => product.price <= 50 && product.category === name);
    const filter = `&max_price=0.5&category=${encodeURIComponent(category)}`;
    for (const sort of SORTS) {
      expect({ sort, ids: await walked(app(), q, sort, filter) }).toEqual({
        sort,
        ids: searchModel(cheap, q, sort),
      });
    }
  });

  test('is the same by page and by cursor', async () => {
    const { body } = await request(app()).get('/api/products?q=steel&per_page=20&page=3').expect(200);
    expect(body.products.map(({ id }: { id: number }) => id)).toEqual(
      searchModel(products, 'steel', 'relevance').slice(40, 60),
    );
  });
});
