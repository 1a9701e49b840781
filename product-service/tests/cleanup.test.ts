import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createQuery } from '@shop/service-kit/postgres/query';
import { until } from '@shop/service-kit/testing/until';
import { Pool } from 'pg';
import { cleanupTasks } from '../src/cleanup.jobs.ts';
import { createProduct } from './support/product.factory.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
let pool: Pool;
beforeAll(async () => {
  shop = await startTestShop();
  pool = new Pool({ connectionString: shop.databaseUrl });
});
afterAll(async () => {
  await pool.end();
  await shop.close();
});

const cleanUp = async () => {
  const { signal } = new AbortController();
  for (const { run } of Object.values(cleanupTasks(createQuery(pool)))) await run(signal);
};

/** Runs `act` while a transaction is open that has run `statements`; then commits it. */
async function during<T>(statements: string, act: () => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query(`BEGIN; ${statements}`);
    const result = await act();
    await client.query('COMMIT');
    return result;
  } finally {
    client.release(true);
  }
}

async function reservation(status: string, days: number): Promise<string> {
  const id = randomUUID();
  await pool.query(
    'INSERT INTO reservations (id, status, updated_at) VALUES ($1, $2, now() - make_interval(hours => $3))',
    [...[id, status, days * 24]],
  );
  return id;
}

describe('the cleanup', () => {
  test('deletes reservations closed for a week, and no others', async () => {
    const closed = await reservation('RELEASED', 8);
    const kept = [
      await reservation('RELEASED', 6),
      await reservation('HELD', 400),
      await reservation('CONFIRMED', 400),
    ];
    await cleanUp();
    const found = await shop.db.reservation.findMany({ where: { id: { in: [closed, ...kept] } } });
    expect(found.map(({ id }) => id).sort()).toEqual(kept.sort());
  });

  test('deletes several batches of closed reservations', async () => {
    await pool.query(`INSERT INTO reservations (id, status, updated_at)
      SELECT gen_random_uuid(), 'RELEASED', now() - interval '9 days' FROM generate_series(1, 2500)`);
    await cleanUp();
    expect(
      await shop.db.reservation.count({
        where: { updatedAt: { lt: new Date(Date.now() - 8 * 86_400_000) }, status: 'RELEASED' },
      }),
    ).toBe(0);
  });

  test('deletes known words that no product contains, and no others', async () => {
    const name = (words: string) => ({ name: words, price: 1 });
    await createProduct(shop.app, name('Zanzibar lantern'));
    const gone = await createProduct(shop.app, name('Quixotic lantern'));
    const known = async () =>
      (
        await pool.query("SELECT word FROM known_words WHERE word IN ('zanzibar', 'lantern', 'quixotic')")
      ).rows
        .map(({ word }) => String(word))
        .sort();
    await cleanUp();
    expect(await known()).toEqual(['lantern', 'quixotic', 'zanzibar']);
    await pool.query('UPDATE products SET deleted_at = now() WHERE id = $1', [gone.id]);
    await cleanUp();
    expect(await known()).toEqual(['lantern', 'zanzibar']);
  });

  test('deletes the spelling of categories that no product has, and no others', async () => {
    const named = (category: string) => createProduct(shop.app, { category });
    await named('Standing lamps');
    const gone = await named('Hanging lamps');
    await cleanUp();
    expect((await named('HANGING LAMPS')).category).toBe('Hanging lamps');
    await pool.query("UPDATE products SET deleted_at = now() WHERE category = 'Hanging lamps'");
    await cleanUp();
    const { rows } = await pool.query("SELECT name FROM categories WHERE name LIKE '% lamps'");
    expect(rows).toEqual([{ name: 'Standing lamps' }]);
    expect((await named('HANGING LAMPS')).category).toBe('HANGING LAMPS');
    expect(gone.category).toBe('Hanging lamps');
  });

  test('looks at all categories, a few in each run', async () => {
    await pool.query(`INSERT INTO categories (key, name)
      SELECT 'unused ' || n, 'Unused ' || n FROM generate_series(1, 1200) AS n`);
    const { remove_unused_categories: task } = cleanupTasks(createQuery(pool));
    const left = async () =>
      (await pool.query("SELECT count(*)::int AS count FROM categories WHERE key LIKE 'unused %'")).rows[0]
        .count;
    const counts = [];
    for (let run = 0; run < 4; run += 1) {
      await task?.run(new AbortController().signal);
      counts.push(await left());
    }
    expect(counts[0]).toBeGreaterThan(counts[1]);
    expect(counts.at(-1)).toBe(0);
  });

  test('keeps the spelling of a category that a product is getting', async () => {
    await pool.query("INSERT INTO categories (key, name) VALUES ('fresh', 'Fresh')");
    await during(
      `INSERT INTO products (name, price_minor, stock, category, owner_id) VALUES ('Thing', 1, 1, 'FRESH', 1)`,
      cleanUp,
    );
    expect((await createProduct(shop.app, { category: 'fresh' })).category).toBe('Fresh');
  });

  test('lets a product that gets a category meanwhile decide on its spelling', async () => {
    await pool.query("INSERT INTO categories (key, name) VALUES ('stale', 'Stale')");
    const isWaiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    const [made] = await during("SELECT remove_unused_categories('', 100000)", async () => {
      const creating = createProduct(shop.app, { category: 'STALE' });
      await until('it waits', async () => (await pool.query(isWaiting)).rowCount === 1);
      return [creating];
    });
    expect((await made)?.category).toBe('STALE');
    expect((await createProduct(shop.app, { category: 'stale' })).category).toBe('STALE');
  });

  test('deletes counts of categories without products, and keeps those of the others', async () => {
    await pool.query(`INSERT INTO category_counts VALUES
      ('gone', 1, 2), ('gone', 2, -2), ('zero', 1, 0), ('full', 1, 3), ('full', 2, -1)`);
    await cleanUp();
    const { rows } = await pool.query(
      "SELECT category, sum(products)::int AS products FROM category_counts WHERE category IN ('gone', 'zero', 'full') GROUP BY 1",
    );
    expect(rows).toEqual([{ category: 'full', products: 2 }]);
  });

  test('skips a category that is being changed', async () => {
    await pool.query("INSERT INTO category_counts VALUES ('changing', 1, 1), ('changing', 2, -1)");
    await during(
      "UPDATE category_counts SET products = products + 5 WHERE category = 'changing' AND slot = 2",
      cleanUp,
    );
    const { rows } = await pool.query(
      "SELECT sum(products)::int AS products FROM category_counts WHERE category = 'changing'",
    );
    expect(rows).toEqual([{ products: 5 }]);
  });
});
