import type { Query } from '@shop/service-kit/postgres/query';
import type { KeyName } from '../../src/placement/placement.records.ts';
import type { PlacementRepository } from '../../src/placement/placement.repository.ts';
import type { createSimulatedOrders } from './simulated.orders.ts';
import type { createSimulatedProducts } from './simulated.products.ts';

interface ReaderOptions {
  query: Query;
  productQuery: Query;
  store: ReturnType<typeof createSimulatedOrders>;
  stocks: ReturnType<typeof createSimulatedProducts>;
}

interface Reserved {
  id: string;
  status: string;
  lines: { product_id: number; quantity: number }[] | null;
  refusal: { product_id: number; requested: number; available: number | null }[] | null;
}

/** Reads both sides of the contract in the same form: reservation ids for orders, 1 and 2 for products. */
export function createContractReader({ query, productQuery, store, stocks }: ReaderOptions) {
  const reservations = (made: Reserved[], productIds: number[]) => {
    const named = (id: number) => productIds.indexOf(id) + 1;
    return made
      .map(({ id, status, lines, refusal }) => ({
        ...{ id, status },
        lines: lines?.map((line) => [named(line.product_id), line.quantity]) ?? null,
        refusal: refusal?.map((line) => [named(line.product_id), line.requested, line.available]) ?? null,
      }))
      .toSorted((a, b) => (a.id < b.id ? -1 : 1));
  };
  const sorted = (jobs: { task: string; ids: string[] }[]) =>
    jobs.map(({ task, ids }) => `${task} ${ids.toSorted()}`).toSorted();

  async function simulatedState(ids: string[]) {
    const rows = [...store.orders.values()].filter(({ reservationId }) => ids.includes(reservationId));
    return {
      orders: Object.fromEntries(
        rows.map((row) => [
          row.reservationId,
          [row.placement, row.status, Number(row.totalMinor), row.lines.map((line) => line.quantity)],
        ]),
      ),
      jobs: sorted([...store.jobs].map(({ task, reservationIds }) => ({ task, ids: reservationIds }))),
      held: stocks.held().toSorted(),
      taken: [...stocks.holding().keys()].toSorted(),
      stock: stocks.stock(),
    };
  }

  async function realState(productIds: number[]) {
    const rows = await query<
      { id: string; placement: string; status: string | null; total: number; quantities: number[] }[]
    >`SELECT reservation_id AS id, placement, status, coalesce(total_minor, 0)::int AS total,
             ARRAY(SELECT quantity FROM order_lines l WHERE l.order_id = o.id ORDER BY l.product_id) AS quantities FROM orders o`;
    const jobs = await query<
      { task: string; payload: { reservation_id?: string; reservation_ids?: string[] } }[]
    >`
      SELECT t.identifier AS task, j.payload FROM graphile_worker._private_jobs j
        JOIN graphile_worker._private_tasks t ON t.id = j.task_id`;
    const kept = await productQuery<{ id: string; status: string }[]>`SELECT id, status FROM reservations`;
    const stock = await productQuery<{ stock: number }[]>`
      SELECT stock FROM products WHERE id = ANY (${productIds}::int[]) ORDER BY id`;
    const named = (is: (status: string) => boolean) =>
      kept.flatMap(({ id, status }) => (is(status) ? [id] : [])).toSorted();
    return {
      orders: Object.fromEntries(
        rows.map(({ id, placement, status, total, quantities }) => [
          id,
          [placement, status, total, quantities],
        ]),
      ),
      jobs: sorted(
        jobs.map(({ task, payload: { reservation_id: id, reservation_ids: ids } }) => ({
          task: task.startsWith('confirm') ? 'confirm' : 'release',
          ids: ids ?? [id ?? ''],
        })),
      ),
      held: named((status) => status === 'HELD'),
      taken: named((status) => status !== 'RELEASED'),
      stock: stock.map((row) => row.stock),
    };
  }

  return {
    reservations,

    /** Empties the real databases. @returns the ids of new products with this stock */
    async empty(stock: number[]): Promise<number[]> {
      await query`TRUNCATE orders, order_lines, order_status_changes, idempotency_keys CASCADE`;
      await query`DELETE FROM graphile_worker._private_jobs`;
      await productQuery`TRUNCATE reservations`;
      const rows = await productQuery<{ id: number }[]>`
        INSERT INTO products (name, price_minor, stock, category, owner_id)
        SELECT 'Thing', 250, units, 'General', 9 FROM unnest(${stock}::int[]) WITH ORDINALITY AS s (units, n) ORDER BY n
        RETURNING id`;
      return rows.map(({ id }) => id);
    },

    /** The state of a key, without the row id of its order. */
    async key(placements: PlacementRepository, by: KeyName) {
      const found = await placements.findKey(by);
      if (found === null) return null;
      const { requestHash, response, leaseSeconds } = found;
      return { requestHash, body: response?.body ?? null, isLeased: leaseSeconds > 0 };
    },

    state: (ids: string[], productIds: number[]) => Promise.all([simulatedState(ids), realState(productIds)]),
  };
}
