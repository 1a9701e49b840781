import type { Query } from '@shop/service-kit/postgres/query';
import type { Scheduler } from 'fast-check';
import { createReservationRepository } from '../../../product-service/testing.ts';
import type { ReservedLine } from '../../src/clients/product.response.schemas.ts';
import { createOrderRepository } from '../../src/orders/order.repository.ts';
import type { Intent, KeyName, NewIntent } from '../../src/placement/placement.records.ts';
import { createPlacementRepository } from '../../src/placement/placement.repository.ts';
import { createReconcileRepository } from '../../src/placement/reconcile.repository.ts';
import { createContractReader } from './contract.reader.ts';
import { createLife, createNetwork } from './simulated.network.ts';
import { createSimulatedOrders } from './simulated.orders.ts';
import { createSimulatedProducts } from './simulated.products.ts';

/** Stock of products 1 and 2 on each side. */
const STOCK = [3, 4];
const ACTOR = 'service:order-service';
/** The lease of a key and the deadline of an order in the model, in seconds. */
const LEASE = 5;
const DEADLINE = 30;
/** Real seconds for a second of the model. Large, because the real clock runs during the test. */
const SCALE = 100;

interface Databases {
  orders: Query;
  products: Query;
}

type Named = KeyName & { requestHash: string; reservationId: string };

export type Sides = Awaited<ReturnType<typeof createContractSides>>;

/**
 * The simulated stores of the placement model and the real repositories on emptied databases. Each call is made on both, and
 * returns the result of the simulated one and then of the real one, with reservation ids instead of row ids.
 */
export async function createContractSides({ orders: query, products: productQuery }: Databases) {
  let seconds = 1000;
  const network = createNetwork({ scheduler: undefined as unknown as Scheduler, fates: [] });
  network.calmDown();
  const life = createLife();
  const store = createSimulatedOrders(() => seconds);
  const stocks = createSimulatedProducts(STOCK);
  const client = stocks.clientOf(network, life);
  const simulated = {
    placements: store.placementsOf(network, life),
    reconciling: store.reconcileOf(network, life),
    orders: store.ordersOf(network, life),
  };
  const real = {
    placements: createPlacementRepository({ query, lease: LEASE * SCALE, deadline: DEADLINE * SCALE }),
    reconciling: createReconcileRepository(query),
    // Only its statements are used.
    orders: createOrderRepository(query),
    reservations: createReservationRepository(productQuery),
  };
  const read = createContractReader({ query, productQuery, store, stocks });
  const productIds = await read.empty(STOCK);

  /** The orders on both sides by reservation id, in the order of their creation. */
  const known = new Map<string, { by: KeyName; simulated: Intent; real: Intent; lines: ReservedLine[] }>();
  const toIntent = ({ userId, key, requestHash, reservationId }: Named): NewIntent => ({
    ...{ userId, key, requestHash, reservationId },
    currency: 'USD',
    request: { products: [] },
  });
  const learn = (by: KeyName, one: Intent | null | undefined, other: Intent | null | undefined) => {
    if (one == null || other == null) return;
    known.set(one.reservationId, { by, simulated: one, real: other, lines: [] });
  };
  const of = (ids: string[]) => ids.flatMap((id) => known.get(id) ?? []);
  const namesOf = (side: 'simulated' | 'real', rows: Set<number>) =>
    [...known].flatMap(([id, entry]) => (rows.has(entry[side].id) ? [id] : [])).toSorted();
  const bodyOf = (id: string) => ({ status: 201, body: `{"of":"${id}"}`, orderId: 0 });

  return {
    idAt: (place: number): string | undefined => [...known.keys()][known.size === 0 ? 0 : place % known.size],

    async insertIntents(wanted: Named[]) {
      const one = await simulated.placements.insertIntents(wanted.map(toIntent));
      const other = await real.placements.insertIntents(wanted.map(toIntent));
      for (const [index, by] of wanted.entries()) learn(by, one[index], other[index]);
      return [one, other].map((made) => made.map((intent) => intent?.reservationId ?? null));
    },

    async resumeIntent(wanted: Named) {
      if (wanted.key === null) return [null, null];
      const one = await simulated.placements.resumeIntent(toIntent(wanted));
      const other = await real.placements.resumeIntent(toIntent(wanted));
      learn(wanted, one, other);
      return [one, other].map((intent) => intent?.reservationId ?? null);
    },

    async findKey(by: KeyName) {
      if (by.key === null) return [null, null];
      return [await read.key(simulated.placements, by), await read.key(real.placements, by)];
    },

    async reserve(wanted: { reservationId: string; quantities: number[] }[]) {
      if (wanted.length === 0) return [[], []];
      const itemsOf = (quantities: number[], ids: number[]) =>
        quantities.flatMap((quantity, i) => (quantity === 0 ? [] : [{ product_id: ids[i] ?? 0, quantity }]));
      const one = await client.reserve(
        wanted.map(({ reservationId, quantities }) => ({
          orderId: 0,
          reservationId,
          items: itemsOf(quantities, [1, 2]),
        })),
        '',
        false,
      );
      const asked = wanted.map(({ reservationId, quantities }) => ({
        reservation_id: reservationId,
        items: itemsOf(quantities, productIds),
      }));
      const other = (await real.reservations.reserve(asked, ACTOR, 0)).reservations;
      for (const { id, lines } of one) Object.assign(known.get(id) ?? {}, { lines: lines ?? [] });
      return [read.reservations(one, [1, 2]), read.reservations(other, productIds)];
    },

    async place(ids: string[]) {
      const wanted = (side: 'simulated' | 'real') =>
        of(ids).map((entry) => ({
          intent: entry[side],
          by: entry.by,
          lines: entry.lines,
          total: entry.lines.reduce((sum, line) => sum + line.price_minor * line.quantity, 0),
          response: bodyOf(entry.simulated.reservationId),
        }));
      if (ids.length === 0) return [[], []];
      const one = await simulated.placements.place(wanted('simulated'));
      return [namesOf('simulated', one), namesOf('real', await real.placements.place(wanted('real')))];
    },

    async reject(ids: string[], release: boolean) {
      const wanted = (side: 'simulated' | 'real') =>
        of(ids).map((entry) => ({
          ...{ intent: entry[side], by: entry.by, release },
          response: bodyOf(entry.simulated.reservationId),
        }));
      if (ids.length === 0) return [[], []];
      const one = await simulated.placements.reject(wanted('simulated'));
      return [namesOf('simulated', one), namesOf('real', await real.placements.reject(wanted('real')))];
    },

    async abandon(ids: string[]) {
      const wanted = (side: 'simulated' | 'real') =>
        of(ids).map((entry) => ({ intent: entry[side], by: entry.by }));
      if (ids.length === 0) return [[], []];
      const one = await simulated.placements.abandon(wanted('simulated'));
      return [namesOf('simulated', one), namesOf('real', await real.placements.abandon(wanted('real')))];
    },

    async cancel(id = '') {
      const entry = known.get(id);
      if (entry === undefined) return [null, null];
      const change = { from: 'pending', to: 'cancelled', actor: 'test' } as const;
      const one = await simulated.orders.changeStatus({ ...change, id: entry.simulated.id });
      return [one, await real.orders.changeStatus({ ...change, id: entry.real.id })];
    },

    async release(ids: string[]) {
      for (const id of ids) {
        await client.release({ reservationId: id, requestId: '' });
        await real.reservations.release(id, ACTOR);
      }
      return [null, null];
    },

    async confirm(ids: string[]) {
      const one = await client.confirm({ reservationIds: ids, requestId: '' });
      return [[...one].toSorted(), (await real.reservations.confirm(ids)).toSorted()];
    },

    async statusesOf(ids: string[]) {
      const one = await client.statusesOf(ids, '');
      const other = await real.reservations.statusesOf(ids);
      return [[...one.values()], other].map((found) => found.toSorted((a, b) => (a.id < b.id ? -1 : 1)));
    },

    reconcile: async () => [
      (await simulated.reconciling.rejectOverdue(100)).length,
      (await real.reconciling.rejectOverdue(100)).length,
    ],

    async advance(by: number) {
      seconds += by;
      const shift = by * SCALE;
      await query`UPDATE orders SET deadline = deadline - make_interval(secs => ${shift}::float8)`;
      await query`UPDATE idempotency_keys SET lease_until = lease_until - make_interval(secs => ${shift}::float8)`;
      return [null, null];
    },

    /** The complete state of both sides. */
    async state() {
      const ids = [...known.keys()];
      const fates = [await simulated.reconciling.fatesOf(ids), await real.reconciling.fatesOf(ids)];
      const [one, other] = await read.state(ids, productIds);
      return [
        { ...one, fates: fates[0] },
        { ...other, fates: fates[1] },
      ];
    },
  };
}
