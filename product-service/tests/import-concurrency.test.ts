import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { bearer, TEST_SERVICE_SECRET } from '@shop/service-kit/testing/test-tokens';
import { until } from '@shop/service-kit/testing/until';
import { createServiceTokenSigner } from '@shop/service-kit/tokens/service-token';
import type { Client } from 'pg';
import request from 'supertest';
import { importFile } from './support/catalogue-file.ts';
import { openUpload } from './support/open-upload.ts';
import { admin, SELLER } from './support/product.factory.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());
beforeEach(async () => {
  await shop.db
    .$executeRaw`TRUNCATE products, known_words, categories, category_counts, stock_movements, reservations RESTART IDENTITY CASCADE`;
});

const count = () => shop.db.product.count();

describe('concurrent imports', () => {
  const SKUS = Array.from({ length: 60 }, (_, i) => `S${i}`);
  const NEW = Array.from({ length: 400 }, (_, i) => `N${i}`);
  const file = (skus: string[], stock: number) =>
    ['sku,name,price,stock', ...skus.map((sku) => `${sku},Thing,1,${stock}`)].join('\n');
  const sign = createServiceTokenSigner(TEST_SERVICE_SECRET, 'order-service', 'product-service');

  const reserve = (ids: number[]) =>
    request(shop.app)
      .post('/internal/reservations')
      .set('Authorization', `Bearer ${sign()}`)
      .send({
        reservation_id: randomUUID(),
        items: ids.map((product_id) => ({ product_id, quantity: 1 })),
      });

  test('of the same products, with orders for them, keep the ledger correct and do not deadlock', async () => {
    await importFile(shop.app, file(SKUS, 100)).expect(200);
    const imports = [1, 2, 3, 4].flatMap((round) => [
      importFile(shop.app, file([...SKUS, ...NEW], 100 * round)),
      importFile(shop.app, file([...NEW, ...SKUS].toReversed(), 50 * round), { authorization: admin() }),
    ]);
    // One at a time for each user, because of the limit.
    const inTurn = async (calls: typeof imports) => {
      const responses = [];
      for (const call of calls) responses.push(await call);
      return responses;
    };
    const buyer = async (first: number) => {
      const responses = [];
      for (let i = first; i < 40; i += 4) {
        const ids = Array.from({ length: 20 }, (_, k) => ((i * 7 + k) % SKUS.length) + 1);
        responses.push(await reserve(ids.toSorted((a, b) => a - b)));
      }
      return responses;
    };
    const [mine, theirs, reserved] = await Promise.all([
      inTurn(imports.filter((_call, i) => i % 2 === 0)),
      inTurn(imports.filter((_call, i) => i % 2 === 1)),
      Promise.all([0, 1, 2, 3].map(buyer)),
    ]);
    // On a slow machine a lock may time out; nothing else may fail.
    for (const { status } of [...mine, ...theirs, ...reserved.flat()]) expect([200, 503]).toContain(status);
    const [{ deadlocks } = {}] = await shop.db.$queryRaw<{ deadlocks?: bigint }[]>`
      SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`;
    expect(deadlocks).toBe(0n);
    await importFile(shop.app, file([...SKUS, ...NEW], 7)).expect(200);
    expect(await count()).toBe(SKUS.length + NEW.length);
    const wrong = await shop.db.$queryRaw<unknown[]>`
      SELECT id FROM products p
       WHERE stock <> (SELECT COALESCE(sum(delta), 0) FROM stock_movements WHERE product_id = p.id)`;
    expect(wrong).toEqual([]);
  });

  describe.each([
    ['new', false, false],
    ['used by one seller so far', true, false],
    ['new for existing products', false, true],
  ])('with categories that are %s', (_what, areUsed, areChanged) => {
    test.each([[['Alpha', 'Omega']], [['Omega', 'Alpha']]])(
      'wait for a transaction that writes them in key order before they write any: %j',
      async (categories) => {
        const write = (client: Client, category: string, owner: number) =>
          client.query(
            `INSERT INTO products (name, price_minor, stock, category, owner_id) VALUES ('Other', 1, 0, $1, $2)`,
            [category, owner],
          );
        const other = await shop.connect();
        if (areUsed) for (const category of categories) await write(other, category, 100);
        const rows = categories.map((category, i) => `S${i},Thing,1,${category}`);
        if (areChanged) await importFile(shop.app, file(['S0', 'S1'], 1)).expect(200);

        await other.query('BEGIN');
        await write(other, 'Alpha', 101);
        const response = importFile(shop.app, ['sku,name,price,category', ...rows].join('\n')).then(
          (sent) => sent.body,
        );
        await until('the import waits', async () => {
          const { rowCount } = await other.query(
            `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
          );
          return rowCount === 1;
        });
        await other.query("SET lock_timeout = '100ms'");
        await write(other, 'Omega', 101);
        await other.query('COMMIT');
        await other.end();
        expect(await response).toMatchObject({ [areChanged ? 'updated' : 'created']: 2, failed: 0 });
      },
    );
  });

  test('find a product that is created at the same moment', async () => {
    let response: Promise<{ body: unknown }> | undefined;
    await shop.db.$transaction(async (transaction) => {
      await transaction.$executeRaw`
        INSERT INTO products (name, price_minor, stock, category, sku, owner_id)
        VALUES ('Theirs', 1, 0, 'A', 'RACE', ${SELLER}::int)`;
      response = importFile(shop.app, 'sku,name,price\nRACE,Mine now,1\nOTHER,Other,1\n').then(
        (sent) => sent,
      );
      await sleep(300);
    });
    expect((await response)?.body).toMatchObject({ created: 1, updated: 1, failed: 0 });
    expect(await shop.db.product.findFirst({ where: { sku: 'RACE' } })).toMatchObject({ name: 'Mine now' });
  });

  test('are limited to one per user, and four in total', async () => {
    const users = [SELLER, 11, 12, 13];
    const running = [];
    for (const user of users) running.push(await openUpload(shop.app, bearer(user)));
    for (const { call } of running)
      call.write('A lamp with a long name for a lamp that it is,1\n'.repeat(700));
    await until('all have begun', async () => (await count().catch(() => 0)) >= 4 * 500);
    const again = await importFile(shop.app, 'name,price\n');
    expect(again).toMatchObject({ status: 409, body: { code: 'import_running' } });
    const fifth = await importFile(shop.app, 'name,price\n', { authorization: bearer(14) });
    expect(fifth).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect(fifth.headers['retry-after']).toBe('10');
    for (const { call, answered, close } of running) {
      call.end();
      expect(await answered).toBe(200);
      close();
    }
    await importFile(shop.app, 'name,price\n').expect(200);
  });
});
