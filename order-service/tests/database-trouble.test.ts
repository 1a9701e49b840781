import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Pool } from 'pg';
import request from 'supertest';
import { basket, createProduct, placeOrder, stockOf } from './support/factories.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
let sql: Pool;
beforeAll(async () => {
  shop = await startTestShop({}, { redis: false });
  sql = new Pool({ connectionString: shop.databaseUrl });
});
afterEach(() => sql.query('DROP TRIGGER IF EXISTS trouble ON orders'));
afterAll(async () => {
  await sql.end();
  await shop.close();
});

/** Makes statements fail by a trigger, with the SQLSTATE of a statement timeout (57014). */
async function troubleWhen(condition: string) {
  await sql.query(`
    CREATE OR REPLACE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN IF ${condition} THEN RAISE EXCEPTION 'trouble' USING ERRCODE = '57014'; END IF; RETURN NEW; END $$;
    CREATE TRIGGER trouble BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION trouble()`);
}

const placements = async (productStock: number) => ({
  placing: await shop.db.order.count({ where: { placement: 'PLACING' } }),
  releases: (
    await sql.query("SELECT FROM graphile_worker.jobs WHERE task_identifier = 'release_reservation'")
  ).rowCount,
  productStock,
});

const counted = async () => {
  const page = await shop.metrics.registry.metrics();
  const countOf = (outcome: string) =>
    Number(new RegExp(`order_placements_total\\{outcome="${outcome}".*\\} (\\d+)`).exec(page)?.[1] ?? 0);
  return { unavailable: countOf('unavailable'), reconciled: countOf('reconciled') };
};

describe('when the order database fails', () => {
  test('at the intent: 503, without a call to product-service', async () => {
    const id = await createProduct(shop, { stock: 5 });
    await troubleWhen("TG_OP = 'INSERT'");
    const response = await placeOrder(shop, 1, basket([id, 1]));
    expect([response.status, response.body.code, response.headers['retry-after']]).toEqual([
      503,
      'unavailable',
      '1',
    ]);
    expect(await placements((await stockOf(shop, id)) ?? -1)).toEqual({
      placing: 0,
      releases: 0,
      productStock: 5,
    });
  });

  test('at the decision: 503, the order is abandoned, and a job returns the stock', async () => {
    const id = await createProduct(shop, { stock: 5 });
    await troubleWhen("NEW.placement = 'PLACED'");
    const { unavailable, reconciled } = await counted();
    const response = await placeOrder(shop, 1, basket([id, 1]), { 'Idempotency-Key': 'trouble' });
    expect(response.status).toBe(503);
    expect(await counted()).toEqual({ unavailable: unavailable + 1, reconciled });
    expect(await placements((await stockOf(shop, id)) ?? -1)).toEqual({
      placing: 0,
      releases: 1,
      productStock: 4,
    });
    const jobs = shop.startJobs();
    for (let i = 0; (await stockOf(shop, id)) !== 5 && i < 200; i++) await sleep(25);
    await jobs.close();
    expect(await stockOf(shop, id)).toBe(5);
    await sql.query('DROP TRIGGER trouble ON orders');
    expect((await placeOrder(shop, 1, basket([id, 1]), { 'Idempotency-Key': 'trouble' })).status).toBe(201);
  });

  test.each(['a placed', 'a reserved'])(
    'while abandoning %s order: the reconciler rejects it at its deadline',
    async (step) => {
      const id = await createProduct(shop, { stock: 5 });
      await troubleWhen("TG_OP = 'UPDATE'");
      const { unavailable, reconciled } = await counted();
      if (step === 'a reserved') await shop.products.stop();
      expect((await placeOrder(shop, 1, basket([id, 1]))).status).toBe(503);
      await shop.products.start();
      await sql.query('DROP TRIGGER trouble ON orders');
      expect((await placements(0)).placing).toBe(1);
      await sql.query("UPDATE orders SET deadline = now() - interval '1 second' WHERE placement = 'PLACING'");
      await shop.reconcile();
      expect(await placements(0)).toMatchObject({ placing: 0 });
      expect(await counted()).toEqual({ unavailable, reconciled: reconciled + 1 });
    },
  );
});

describe('without Redis', () => {
  test('/ready is 200 and does not mention Redis', async () => {
    const { body } = await request(shop.url).get('/ready');
    expect(body).toMatchObject({ status: 'ready', checks: { database: 'ok' } });
  });
});
