import type { Order, OrderRepository } from '../../src/orders/order.repository.ts';
import { mayBecome, type OrderStatus } from '../../src/orders/order.status.ts';
import type {
  Intent,
  KeyName,
  NewIntent,
  NewOrder,
  StoredResponse,
} from '../../src/placement/placement.records.ts';
import type { PlacementRepository } from '../../src/placement/placement.repository.ts';
import type { ReconcileRepository, ReservationFate } from '../../src/placement/reconcile.repository.ts';
import type { Life, Network } from './simulated.network.ts';

interface OrderRow extends Omit<Order, 'status'> {
  placement: 'PLACING' | 'PLACED' | 'REJECTED';
  status: OrderStatus | null;
  deadline: number;
}

interface KeyRow {
  requestHash: string;
  orderId: number;
  leaseUntil: number;
  response: StoredResponse | null;
}

export interface Job {
  task: 'confirm' | 'release';
  reservationIds: string[];
  worker: Life | null;
}

const LEASE = 5;
const DEADLINE = 30;

/** A simulated order database with the semantics of the repositories' statements; each is atomic. `now` is in seconds. */
export function createSimulatedOrders(now: () => number) {
  const orders = new Map<number, OrderRow>();
  const keys = new Map<string, KeyRow>();
  const jobs = new Set<Job>();
  let nextId = 1;

  const keyOf = ({ userId, key }: KeyName) => (key === null ? '' : `${userId} ${key}`);
  const addJob = (task: Job['task'], reservationIds: string[]) =>
    jobs.add({ task, reservationIds, worker: null });
  const undecided = (id: number) => {
    const order = orders.get(id);
    return order?.placement === 'PLACING' ? order : undefined;
  };
  const toIntent = ({ id, reservationId, createdAt }: OrderRow): Intent => ({ id, reservationId, createdAt });

  function addOrder(id: number, { userId, reservationId, currency }: NewIntent): Intent {
    const at = new Date(now() * 1000);
    const times = { createdAt: at, updatedAt: at, deadline: now() + DEADLINE };
    const open = { placement: 'PLACING' as const, status: null, totalMinor: 0n, lines: [] };
    const order = {
      id,
      userId,
      reservationId,
      currency,
      shippingAddress: null,
      note: null,
      ...open,
      ...times,
    };
    orders.set(id, order);
    return toIntent(order);
  }

  function resume(intent: NewIntent): Intent | null {
    const row = keys.get(keyOf(intent));
    const order = orders.get(row?.orderId ?? 0);
    if (row === undefined || order === undefined || row.leaseUntil > now() || row.response !== null)
      return null;
    row.leaseUntil = now() + LEASE;
    if (order.placement === 'PLACED') return null;
    if (order.placement === 'PLACING') {
      order.deadline = now() + DEADLINE;
      return toIntent(order);
    }
    row.orderId = nextId++;
    return addOrder(row.orderId, intent);
  }

  /** PLACING -> REJECTED, if it is still undecided. */
  function decideAgainst(id: number, release: boolean): boolean {
    const order = undecided(id);
    if (order === undefined) return false;
    order.placement = 'REJECTED';
    if (release) addJob('release', [order.reservationId]);
    return true;
  }

  const storeResponse = (by: KeyName, id: number, response: StoredResponse) => {
    const row = keys.get(keyOf(by));
    if (row?.orderId === id) row.response = response;
  };

  function claim(intent: NewIntent): Intent | null {
    if (intent.key === null) return addOrder(nextId++, intent);
    if (keys.has(keyOf(intent))) return null;
    const { requestHash } = intent;
    const orderId = nextId++;
    keys.set(keyOf(intent), { requestHash, orderId, leaseUntil: now() + LEASE, response: null });
    return addOrder(orderId, intent);
  }

  function place(wanted: NewOrder[]): Set<number> {
    const placed = wanted.flatMap(({ intent, by, lines, total, response }) => {
      const order = undecided(intent.id);
      if (order === undefined) return [];
      Object.assign(order, { placement: 'PLACED', status: 'pending', totalMinor: BigInt(total) });
      order.lines = lines.map((line) => ({
        productId: line.product_id,
        name: line.name,
        priceMinor: BigInt(line.price_minor),
        quantity: line.quantity,
        sellerId: line.owner_id,
      }));
      storeResponse(by, intent.id, response);
      return [order];
    });
    if (placed.length > 0)
      addJob(
        'confirm',
        placed.map(({ reservationId }) => reservationId),
      );
    return new Set(placed.map(({ id }) => id));
  }

  const placementsOf = (network: Network, life: Life): PlacementRepository => {
    const query = <T>(execute: () => T) => network.query(life, execute);
    return {
      insertIntents: (intents) => query(() => intents.map(claim)),
      findKey: (by) =>
        query(() => {
          const row = keys.get(keyOf(by));
          if (row === undefined) return null;
          const { requestHash, orderId, response, leaseUntil } = row;
          return {
            requestHash,
            response: response && { ...response, orderId },
            leaseSeconds: Math.max(0, Math.ceil(leaseUntil - now())),
          };
        }),
      resumeIntent: (intent) => query(() => resume(intent)),
      place: (wanted) => query(() => place(wanted)),
      reject: (rejections) =>
        query(() => {
          const rejected = rejections.filter(({ intent, by, response, release }) => {
            const isDecided = decideAgainst(intent.id, release);
            if (isDecided) storeResponse(by, intent.id, response);
            return isDecided;
          });
          return new Set(rejected.map(({ intent }) => intent.id));
        }),
      // Two statements, like the real one.
      async abandon(abandoned) {
        await query(() => {
          for (const { intent, by } of abandoned)
            if (decideAgainst(intent.id, true) && keys.get(keyOf(by))?.orderId === intent.id)
              keys.delete(keyOf(by));
        });
        const ids = abandoned.map(({ intent }) => intent.id);
        return query(() => new Set(ids.filter((id) => orders.get(id)?.placement === 'PLACED')));
      },
    };
  };

  const fateOf = (reservationId: string): ReservationFate => {
    const order = [...orders.values()].find((row) => row.reservationId === reservationId);
    if (order?.placement === 'PLACING') return 'keep';
    return order?.placement === 'PLACED' && order.status !== 'cancelled' ? 'confirm' : 'release';
  };

  const reconcileOf = (network: Network, life: Life): ReconcileRepository => ({
    rejectOverdue: (limit) =>
      network.query(life, () => {
        const overdue = [...orders.values()].filter(
          ({ deadline, placement }) => placement === 'PLACING' && deadline < now(),
        );
        return overdue
          .slice(0, limit)
          .map(({ id }) => id)
          .filter((id) => decideAgainst(id, true));
      }),
    fatesOf: (ids) => network.query(life, () => new Map(ids.map((id) => [id, fateOf(id)]))),
    removeKeys: async () => 0,
    removeRejected: async () => 0,
  });

  const ordersOf = (network: Network, life: Life): OrderRepository => ({
    find: (id) =>
      network.query(life, () => {
        const order = orders.get(id);
        return order?.placement === 'PLACED' ? ({ ...order } as Order) : undefined;
      }),
    changeStatus: ({ id, from, to }) =>
      network.query(life, () => {
        const order = orders.get(id);
        if (order?.status !== from || !mayBecome(from, to)) return false;
        order.status = to;
        if (to === 'cancelled') addJob('release', [order.reservationId]);
        return true;
      }),
    list: notSimulated,
    listByTime: notSimulated,
    count: notSimulated,
    stats: notSimulated,
    history: notSimulated,
  });

  return { orders, jobs, placementsOf, reconcileOf, ordersOf };
}

function notSimulated(): never {
  throw new Error('lists are not simulated');
}
