import { randomUUID } from 'node:crypto';
import { get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createLogger } from '@shop/service-kit/runtime/logger';
import { bearer, TEST_SERVICE_SECRET } from '@shop/service-kit/testing/test-tokens';
import { createServiceTokenSigner } from '@shop/service-kit/tokens/service-token';
import request from 'supertest';
import { importFile } from './support/catalogue-file.ts';
import { openUpload } from './support/open-upload.ts';
import { admin, createProduct, SELLER, seller } from './support/product.factory.ts';
import { type Replica, startTestShop, type TestShop } from './support/test-shop.ts';
import { createCountedDatabase, signal } from './support/watched-database.ts';

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

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 15_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`Waited in vain for: ${what}`);
    await sleep(20);
  }
}

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

describe('an import on a busy database', () => {
  let hurried: Replica;
  beforeAll(async () => {
    hurried = await shop.startReplica({ timeLimitFactor: 1 });
  });

  /** Keeps one product locked until it is released. */
  async function lock(sku: string) {
    const released = signal();
    const locked = signal();
    const ended = shop.db.$transaction(
      async (transaction) => {
        await transaction.$executeRaw`SET LOCAL idle_in_transaction_session_timeout = 0`;
        await transaction.$executeRaw`SELECT 1 FROM products WHERE sku = ${sku} FOR UPDATE`;
        locked.give();
        await released.given;
      },
      { timeout: 30_000 },
    );
    await locked.given;
    return () => {
      released.give();
      return ended;
    };
  }

  test('waits longer than a request', async () => {
    await createProduct(shop.app, { sku: 'BUSY' });
    const release = await lock('BUSY');
    setTimeout(release, 1500);
    const { status, body } = await importFile(hurried.app, 'sku,name,price\nBUSY,At last,1\n');
    expect({ status, body }).toMatchObject({ status: 200, body: { updated: 1 } });
  });

  test('that stays busy ends with 503: complete rows stay written, and the log has their number', async () => {
    await createProduct(shop.app, { sku: 'BUSY' });
    const lines: { msg: string }[] = [];
    const logger = createLogger('product-service', 'info', {
      write: (line) => void lines.push(JSON.parse(line)),
    });
    const { app } = await shop.startReplica({ logger, timeLimitFactor: 1 });
    const release = await lock('BUSY');
    const rows = Array.from({ length: 500 }, (_, i) => `R${i},Lamp,1,3`);
    const file = ['sku,name,price,stock', ...rows, 'BUSY,Never,1,3', 'R500,Lamp,1,3'].join('\n');
    const { status, headers } = await importFile(app, file);
    expect(status).toBe(503);
    expect(headers['retry-after']).toBe('1');
    expect(await count()).toBe(501);
    expect(lines.find(({ msg }) => msg === 'import broke off')).toMatchObject({
      created: 500,
      updated: 0,
      failed: 0,
      dry_run: false,
    });
    await release();
  });

  test('writes smaller batches after a timeout', async () => {
    await shop.db.$executeRaw`
      CREATE FUNCTION be_slow() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.008); RETURN NEW; END $$`;
    await shop.db.$executeRaw`
      CREATE TRIGGER be_slow BEFORE INSERT ON products FOR EACH ROW EXECUTE FUNCTION be_slow()`;
    const rows = Array.from({ length: 200 }, (_, i) => `R${i},Lamp,1`);
    const { body } = await importFile(hurried.app, ['sku,name,price', ...rows].join('\n'));
    await shop.db.$executeRaw`DROP FUNCTION be_slow CASCADE`;
    expect(body).toMatchObject({ created: 200, failed: 0 });
    expect(await count()).toBe(200);
  });
});

describe('a client that disconnects', () => {
  test('aborts its import: finished batches stay, the rest is never written', async () => {
    const lines: { msg: string }[] = [];
    const logger = createLogger('product-service', 'info', {
      write: (line) => void lines.push(JSON.parse(line)),
    });
    const { app } = await shop.startReplica({ logger });
    const { call, close } = await openUpload(app, seller());
    call.write(`${'A lamp with a long name for a lamp that it is,1\n'.repeat(700)}Half a row of the fi`);
    await until('the first batch is there', async () => (await count()) > 0);
    close();
    await until('it is logged', () => lines.some(({ msg }) => msg === 'import broke off'));
    expect(lines.find(({ msg }) => msg === 'import broke off')).toMatchObject({
      created: 500,
      reason: 'The body broke off',
    });
    expect(await count()).toBe(500);
    // The user may start another import immediately.
    await importFile(app, 'name,price\n').expect(200);
  });

  test('aborts its export after the current page', async () => {
    await shop.run(`
      INSERT INTO products (name, description, price_minor, stock, category, owner_id)
      SELECT 'Lamp', repeat('x', 4000), 1, 0, 'A', ${SELLER} FROM generate_series(1, 6000)`);
    const counted = createCountedDatabase();
    const { app } = await shop.startReplica({ wrap: counted.wrap });
    const server = app.listen(0);
    const { port } = server.address() as AddressInfo;
    const call = get(
      { port, path: '/api/products/export', headers: { Authorization: seller() }, agent: false },
      (response) => response.once('data', () => call.destroy()),
    ).on('error', () => undefined);
    await new Promise((resolve) => call.once('close', resolve));
    await sleep(300);
    const afterwards = counted.count();
    await sleep(300);
    expect(counted.count()).toBe(afterwards);
    expect(afterwards).toBeLessThan(12);
    server.close();
  });
});
