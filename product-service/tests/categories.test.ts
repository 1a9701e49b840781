import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bearer } from '@shop/service-kit/testing/test-tokens';
import type { Client } from 'pg';
import request from 'supertest';
import { importFile } from './support/catalogue-file.ts';
import { admin, createProduct } from './support/product.factory.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

const categories = async (): Promise<string[]> =>
  (await request(shop.app).get('/api/products/categories').expect(200)).body.categories;
const remove = (id: number) =>
  request(shop.app).delete(`/api/products/${id}`).set('Authorization', admin()).expect(200);

async function counts(names: string[]): Promise<Record<string, number>> {
  const rows = await shop.db.$queryRaw<{ category: string; count: number }[]>`
    SELECT category, sum(products)::int AS count FROM category_counts WHERE category = ANY (${names}) GROUP BY category`;
  return Object.fromEntries(rows.map(({ category, count }) => [category, count]));
}

describe('categories', () => {
  test.each([
    [['Möbel', 'MÖBEL', 'Mo\u0308bel', 'möbel']],
    [['ΒΙΒΛΊΑ', 'βιβλία']],
    [['Чайники', 'чайники']],
    [['Ｔｅａ', 'TEA', 'tea']],
    [['茶壶', '茶壶']],
    [['한국', '한국'.normalize('NFD')]],
  ])(
    'that differ in case or Unicode form are one category with its first spelling: %j',
    async ([first = '', ...others]) => {
      const made = [await createProduct(shop.app, { category: first })];
      for (const category of others) made.push(await createProduct(shop.app, { category }));
      expect(made.map(({ category }) => category)).toEqual(made.map(() => first));
      expect(await categories()).toContain(first);
      for (const spelling of [first, ...others]) {
        const { body } = await request(shop.app)
          .get('/api/products')
          .query({ category: spelling })
          .expect(200);
        expect(body.total).toBe(made.length);
      }
      const { body } = await request(shop.app)
        .patch(`/api/products/${made[0]?.id}`)
        .set('Authorization', admin())
        .send({ category: others[0] })
        .expect(200);
      // The same category is no change of the catalogue.
      expect(body.product).toMatchObject({ category: first, version: 1 });
      for (const { id } of made) await remove(id);
      expect(await categories()).not.toContain(first);
    },
  );

  test('are created once by several concurrent sellers', async () => {
    const spelled = ['Gärten', 'GÄRTEN', 'gärten', 'GäRTEN'];
    const made = await Promise.all(
      spelled.map((category, n) => createProduct(shop.app, { category }, bearer(100 + n))),
    );
    expect(new Set(made.map(({ category }) => category)).size).toBe(1);
    for (const { id } of made) await remove(id);
  });

  test('in another spelling in a file change nothing', async () => {
    const made = await createProduct(shop.app, { name: 'Sofa', price: 5, category: 'Möbel', sku: 'SOFA-1' });
    const file = 'sku,name,price,category\nSOFA-1,Sofa,5,MO\u0308BEL\nSOFA-2,Sofa,5,möbel\n';
    const { body } = await importFile(shop.app, file).expect(200);
    expect(body).toMatchObject({ created: 1, updated: 0, unchanged: 1, failed: 0 });
    const list = await request(shop.app).get('/api/products?category=M%C3%B6bel').expect(200);
    expect(list.body.products.map(({ category }: { category: string }) => category)).toEqual([
      'Möbel',
      'Möbel',
    ]);
    for (const { id } of [...list.body.products]) await remove(id);
    expect(list.body.products).toContainEqual(expect.objectContaining({ id: made.id, version: 1 }));
  });

  test('are sorted by language rules', async () => {
    const names = ['Äpfel', 'apple', 'Über', 'Zebra', 'ёлка', '茶'];
    const made = [];
    for (const category of names.toReversed()) made.push(await createProduct(shop.app, { category }));
    expect((await categories()).filter((name) => names.includes(name))).toEqual(names);
    for (const { id } of made) await remove(id);
  });

  test('without products leave no row, whatever the order of concurrent changes', async () => {
    const made = await Promise.all(
      Array.from({ length: 12 }, () => createProduct(shop.app, { category: 'Short-lived' })),
    );
    await Promise.all(made.map(({ id }) => remove(id)));
    const last = await createProduct(shop.app, { category: 'Short-lived' });
    await remove(last.id);
    const rows = await shop.db.$queryRaw`SELECT * FROM category_counts WHERE category = 'Short-lived'`;
    expect(rows).toEqual([]);
  });

  test('of a single seller are all listed', async () => {
    await shop.run(`INSERT INTO products (name, price_minor, stock, category, owner_id)
      SELECT 'Sole', 1, 1, 'Sole ' || n, 555 FROM generate_series(1, 60) AS n`);
    expect((await categories()).filter((name) => name.startsWith('Sole'))).toHaveLength(60);
    await shop.run(`UPDATE products SET deleted_at = now() WHERE owner_id = 555`);
  });

  test('are the 1,000 largest if there are more; the 50 largest of each seller have priority', async () => {
    await createProduct(shop.app, {}, bearer(1));
    await createProduct(shop.app, { category: 'Shared by two' }, bearer(1));
    await shop.run(`INSERT INTO products (name, price_minor, stock, category, owner_id)
      SELECT 'Flood', 1, 1, 'Flood ' || n, 666 FROM generate_series(1, 1200) AS n, generate_series(1, CASE WHEN n > 1150 THEN 3 ELSE 2 END)`);
    const floods = (names: string[]) => names.filter((name) => name.startsWith('Flood'));
    const listed = await categories();
    expect(listed).toHaveLength(1000);
    expect(listed).toEqual(expect.arrayContaining(['General', 'Shared by two']));
    expect(floods(listed).filter((name) => Number(name.slice(6)) > 1150)).toHaveLength(50);
    await shop.run(`INSERT INTO products (name, price_minor, stock, category, owner_id)
      SELECT 'Many', 1, 1, 'Seller ' || n, 1000 + n % 100 FROM generate_series(1, 2000) AS n`);
    await createProduct(shop.app, { category: 'Shared by two' }, bearer(2));
    const all = await categories();
    expect(all).toHaveLength(1000);
    expect(floods(all)).toHaveLength(50);
    // Two products are more than one: none of those with two is pushed out.
    expect(all).toContain('Shared by two');
    expect(all).toContain('Flood 1200');
  });
});

describe('concurrent transactions', () => {
  /** Two open transactions; a wait of one for the other ends in a lock timeout. */
  async function openTwo(): Promise<[Client, Client]> {
    // Counts were once kept in 32 rows by the number of the connection: two of 33 have the same.
    const clients = await Promise.all(Array.from({ length: 33 }, () => shop.connect()));
    const rowOf = (client: Client) => (client as unknown as { processID: number }).processID % 32;
    const pairs = clients.flatMap((one, i) =>
      clients.slice(i + 1).map((two) => [one, two] as [Client, Client]),
    );
    const pair = pairs.find(([one, two]) => rowOf(one) === rowOf(two));
    if (pair === undefined) throw new Error('33 numbers with 33 remainders');
    for (const client of clients) {
      if (!pair.includes(client)) await client.end();
      else await client.query("BEGIN; SET LOCAL lock_timeout = '100ms'");
    }
    return pair;
  }

  const add = (client: Client, name: string, category: string) =>
    client.query(
      'INSERT INTO products (name, price_minor, stock, category, owner_id) VALUES ($1, 1, 1, $2, 1)',
      [name, category],
    );
  const move = (client: Client, id: number, category: string) =>
    client.query('UPDATE products SET category = $2 WHERE id = $1', [id, category]);

  async function commit(clients: Client[]): Promise<void> {
    for (const client of clients) {
      await client.query('COMMIT');
      await client.end();
    }
  }

  test('do not wait for each other if they add the same words in opposite order', async () => {
    await createProduct(shop.app, { category: 'Rare' }, bearer(1));
    const [first, second] = await openTwo();
    await add(first, 'Unheard alpha', 'Rare');
    await add(second, 'Unheard omega', 'Rare');
    await add(second, 'Unheard alpha', 'Rare');
    await first.query("UPDATE products SET name = 'Unheard omega gamma' WHERE name = 'Unheard alpha'");
    await commit([first, second]);
    const { body } = await request(shop.app).get('/api/products?q=unhaerd').expect(200);
    expect(body.total).toBe(3);
  });

  test('do not wait for each other if they count the same categories in opposite order', async () => {
    for (const category of ['Alpha', 'Omega']) await createProduct(shop.app, { category }, bearer(1));
    const [first, second] = await openTwo();
    await add(first, 'Thing', 'Alpha');
    await add(second, 'Thing', 'Omega');
    await add(first, 'Thing', 'Omega');
    await add(second, 'Thing', 'Alpha');
    await commit([first, second]);
    expect(await counts(['Alpha', 'Omega'])).toEqual({ Alpha: 3, Omega: 3 });
  });

  test('do not wait for each other if they empty categories and fill them again', async () => {
    const ids: number[] = [];
    for (const category of ['Ebb', 'Flow'])
      ids.push((await createProduct(shop.app, { category }, bearer(1))).id);
    const [ebb = 0, flow = 0] = ids;
    const [first, second] = await openTwo();
    await move(first, ebb, 'Elsewhere');
    await move(second, flow, 'General');
    await add(first, 'Thing', 'Flow');
    await add(second, 'Thing', 'Ebb');
    await commit([first, second]);
    expect(await counts(['Ebb', 'Flow'])).toEqual({ Ebb: 1, Flow: 1 });
  });
});
