import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createLogger } from '@shop/service-kit/runtime/logger';
import { Registry } from 'prom-client';
import { v7 as uuidv7 } from 'uuid';
import type { ProductClient } from '../src/clients/product.client.ts';
import { createCompareRepository } from '../src/placement/compare.repository.ts';
import { createCompareUseCases } from '../src/placement/compare.use-cases.ts';
import { createPlacementMetrics } from '../src/placement/placement.metrics.ts';
import { createReconcileRepository } from '../src/placement/reconcile.repository.ts';
import { createReconcileUseCases } from '../src/placement/reconcile.use-cases.ts';
import { createProduct } from './support/factories.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
let product: number;
beforeAll(async () => {
  shop = await startTestShop();
  product = await createProduct(shop, { stock: 1000 });
});
afterAll(() => shop.close());

const logger = createLogger('test', 'silent');

describe('the reconciler', () => {
  const LEFT = 250;
  const undecided = () => shop.db.order.count({ where: { placement: 'PLACING' } });
  const jobs = async () => {
    const [row] = await shop.query<[{ count: number }]>`
      SELECT count(*)::int AS count FROM graphile_worker.jobs WHERE task_identifier = 'release_reservation'`;
    return row.count;
  };
  const rejected = async () => {
    const page = await shop.metrics.registry.metrics();
    return Number(/order_placements_total\{outcome="reconciled".*\} (\d+)/.exec(page)?.[1] ?? 0);
  };

  test('rejects all orders that a crash left behind in one run, and none after a stop', async () => {
    await shop.db.order.createMany({
      data: Array.from({ length: LEFT }, () => ({
        ...{ userId: 1, placement: 'PLACING' as const, currency: 'USD' },
        ...{ reservationId: randomUUID(), deadline: new Date(0) },
      })),
    });
    await shop.reconcile(AbortSignal.abort());
    expect(await undecided()).toBe(LEFT);
    await shop.reconcile();
    expect([await undecided(), await jobs(), await rejected()]).toEqual([0, LEFT, LEFT]);
  });
});

describe('a stop during a repair', () => {
  /** Watches the changes that a repair asks product-service for. One of this name requests the stop. */
  function stoppingAt(name: 'release' | 'reserve') {
    const stop = new AbortController();
    const calls: string[] = [];
    const watched = <Sent extends unknown[], Got>(its: string, call: (...sent: Sent) => Got) => ({
      [its]: (...sent: Sent) => {
        calls.push(its);
        if (its === name) stop.abort();
        return call(...sent);
      },
    });
    const { confirm, release, reserve } = shop.client;
    const products: ProductClient = {
      ...shop.client,
      ...watched('confirm', confirm),
      ...watched('release', release),
      ...watched('reserve', reserve),
    };
    return { products, calls, signal: stop.signal };
  }

  interface Repair {
    products: ProductClient;
    signal: AbortSignal;
  }
  const heal = ({ products, signal }: Repair) =>
    createReconcileUseCases({
      repository: createReconcileRepository(shop.query),
      products,
      metrics: createPlacementMetrics({ registry: new Registry(), isDown: () => false }),
      logger,
      heldTooLong: 0,
    }).healReservations(signal);
  const compare = ({ products, signal }: Repair) => {
    const repository = createCompareRepository(shop.query);
    const anHourAgo = new Date(Date.now() - 3_600_000);
    return createCompareUseCases({ repository, products, logger }).compareSince(anHourAgo, { signal });
  };

  const newIds = () => Array.from({ length: 3 }, () => uuidv7());
  const place = (reservationIds: string[]) =>
    shop.db.order.createMany({
      data: reservationIds.map((reservationId) => ({
        ...{ userId: 1, placement: 'PLACED' as const, status: 'pending', totalMinor: 1n, currency: 'USD' },
        ...{ reservationId, deadline: new Date() },
      })),
    });
  const hold = (reservationIds: string[]) =>
    shop.client.reserve(
      reservationIds.map((reservationId) => ({
        ...{ orderId: 1, reservationId },
        items: [{ product_id: product, quantity: 1 }],
      })),
      'test',
      false,
    );

  const release = (reservationIds: string[]) =>
    Promise.all(reservationIds.map((id) => shop.client.release({ reservationId: id, requestId: 'test' })));

  test('leaves the other reservations that nobody needs to the next run', async () => {
    const ids = newIds();
    await hold(ids);
    const [healing, comparing] = [stoppingAt('release'), stoppingAt('release')];
    await heal(healing);
    expect(healing.calls).toEqual(['release']);
    const found = await compare(comparing);
    expect(comparing.calls).toEqual(['release']);
    expect(found.released).toHaveLength(1);
    await release(ids);
  });

  test('leaves the other reservations that are confirmed one by one to the next run', async () => {
    const ids = newIds();
    await place(ids);
    await hold(ids);
    const stop = new AbortController();
    let calls = 0;
    const confirm = async () => {
      calls += 1;
      if (calls === 2) stop.abort();
      throw new Error('trouble');
    };
    await heal({ products: { ...shop.client, confirm }, signal: stop.signal });
    expect(calls).toBe(2);
    await shop.db.order.deleteMany({ where: { reservationId: { in: ids } } });
    await release(ids);
  });

  test('leaves the other orders without a reservation to the next run', async () => {
    const ids = newIds();
    await place(ids);
    await shop.query`
      INSERT INTO order_lines (order_id, product_id, name, price_minor, quantity, seller_id)
      SELECT id, ${product}::int, 'Lamp', 1, 1, 900 FROM orders WHERE reservation_id = ANY (${ids}::uuid[])`;
    const { calls, ...stopping } = stoppingAt('reserve');
    const found = await compare(stopping);
    expect(calls).toEqual(['confirm', 'reserve', 'confirm']);
    expect(found.reserved).toHaveLength(1);
  });
});
