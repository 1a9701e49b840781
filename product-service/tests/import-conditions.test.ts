import { get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createLogger } from '@shop/service-kit/runtime/logger';
import { until } from '@shop/service-kit/testing/until';
import { importFile } from './support/catalogue-file.ts';
import { openUpload } from './support/open-upload.ts';
import { createProduct, SELLER, seller } from './support/product.factory.ts';
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

describe('an import on a busy database', () => {
  let hurried: Replica;
  beforeAll(async () => {
    hurried = await shop.startReplica({ env: { TIME_LIMIT_FACTOR: '1' } });
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
    const counted = createCountedDatabase();
    const { app } = await shop.startReplica({ env: { TIME_LIMIT_FACTOR: '1' }, wrap: counted.wrap });
    const response = importFile(app, 'sku,name,price\nBUSY,At last,1\n').then();
    await until('it is tried again', () => counted.count() > 1);
    await release();
    const { status, body } = await response;
    expect({ status, body }).toMatchObject({ status: 200, body: { updated: 1 } });
  });

  test('that stays busy ends with 503: complete rows stay written, and the log has their number', async () => {
    await createProduct(shop.app, { sku: 'BUSY' });
    const lines: { msg: string }[] = [];
    const logger = createLogger('product-service', 'info', {
      write: (line) => void lines.push(JSON.parse(line)),
    });
    const { app } = await shop.startReplica({ logger, env: { TIME_LIMIT_FACTOR: '1' } });
    const release = await lock('BUSY');
    const rows = Array.from({ length: 500 }, (_, i) => `R${i},Lamp,1,3`);
    const file = ['sku,name,price,stock', ...rows, 'BUSY,Never,1,3', 'R500,Lamp,1,3'].join('\n');
    const { status, headers, body } = await importFile(app, file);
    expect({ status, body }).toMatchObject({
      status: 503,
      body: { code: 'unavailable', created: 500, updated: 0, failed: 0, last_line: 501 },
    });
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
