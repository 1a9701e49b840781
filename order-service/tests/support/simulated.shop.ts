import { AppError } from '@shop/service-kit/errors/app-error';
import { createMoney } from '@shop/service-kit/money/money';
import type { Scheduler } from 'fast-check';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { createOrderUseCases } from '../../src/orders/order.use-cases.ts';
import { createPlacementMetrics } from '../../src/placement/placement.metrics.ts';
import { createPlacementUseCases, type PlaceOrder } from '../../src/placement/placement.use-cases.ts';
import { createReconcileUseCases } from '../../src/placement/reconcile.use-cases.ts';
import { createLife, createNetwork, type Fate, Lost } from './simulated.network.ts';
import { createSimulatedOrders } from './simulated.orders.ts';
import { createSimulatedProducts } from './simulated.products.ts';

/** The result of a placement for the client: the bytes of a final response, or the code of a temporary error. */
export type Got = { status: number; body: string } | { code: string };

interface SimulationOptions {
  scheduler: Scheduler;
  fates: Fate[];
  stock: number[];
  /** Receives the batch sizes of each step. */
  sizes?: Record<Step, Set<number>>;
}

export type Step = 'intent' | 'reserve' | 'place';

const money = createMoney('USD');
const logger = pino({ level: 'silent' });
const metrics = createPlacementMetrics({ registry: new Registry(), isDown: () => false });
/** The read cache is not part of the model. */
export const uncached = {
  whileChanging: <T>(_userIds: readonly number[], change: () => Promise<T>) => change(),
  whilePreparing: <T>(_userIds: readonly number[], work: (begun: () => Promise<void>) => Promise<T>) =>
    work(() => Promise.resolve()),
};
/** The signal of a process that does not stop. */
const NEVER = new AbortController().signal;
const ADMIN = { kind: 'user', id: 99, role: 'admin', sessionId: 'model' } as const;

/** The real use-cases of several processes of order-service, with simulated stores, network and clock. */
export function simulateShop({ scheduler, fates, stock, sizes }: SimulationOptions) {
  let seconds = 1000;
  const network = createNetwork({ scheduler, fates });
  const products = createSimulatedProducts(stock);
  const store = createSimulatedOrders(() => seconds);

  /** Starts a new process: only the databases keep the state of the previous one. */
  const start = () => {
    const life = createLife();
    const seen = <Items extends unknown[]>(step: Step, items: Items): Items => {
      sizes?.[step].add(items.length);
      return items;
    };
    const ownClient = products.clientOf(network, life);
    const ownPlacements = store.placementsOf(network, life);
    const client: typeof ownClient = {
      ...ownClient,
      reserve: (wanted, ...rest) => ownClient.reserve(seen('reserve', wanted), ...rest),
    };
    return {
      life,
      client,
      ...createPlacementUseCases({
        placements: {
          ...ownPlacements,
          insertIntents: (intents) => ownPlacements.insertIntents(seen('intent', intents)),
          place: (orders) => ownPlacements.place(seen('place', orders)),
        },
        products: client,
        money,
        metrics,
        cache: uncached,
        logger,
        lease: 60,
        // Only the schedule decides how far each request is.
        gatherFor: 0,
      }),
      ...createReconcileUseCases({
        repository: store.reconcileOf(network, life),
        products: client,
        metrics,
        logger,
        heldTooLong: 60,
      }),
      ...createOrderUseCases({ orders: store.ordersOf(network, life), products: client, cache: uncached }),
    };
  };
  const processes = [start(), start()];
  const at = (index: number) => {
    const running = processes[index % processes.length];
    if (running === undefined) throw new Error('no process');
    return running;
  };

  async function place(index: number, order: PlaceOrder): Promise<Got> {
    const { life, placeOrder } = at(index);
    try {
      const { status, body } = await Promise.race([placeOrder(order), life.crashed]);
      return { status, body };
    } catch (error) {
      if (error instanceof AppError) return { code: error.code };
      if (error instanceof Lost) return { code: 'no_response' };
      throw error;
    }
  }

  /** Takes a job, runs it and removes it, like the worker of the job queue. */
  async function work(index: number): Promise<void> {
    const { life, client } = at(index);
    const job = await network.query(life, () => {
      const free = [...store.jobs].find(({ worker }) => worker === null || worker.isOver());
      if (free !== undefined) free.worker = life;
      return free;
    });
    if (job === undefined) return;
    const done =
      job.task === 'confirm'
        ? client.confirm({ reservationIds: job.reservationIds, requestId: '' })
        : Promise.all(job.reservationIds.map((id) => client.release({ reservationId: id, requestId: '' })));
    const succeeded = await done.then(
      () => true,
      () => false,
    );
    await network.query(life, () => {
      if (succeeded) store.jobs.delete(job);
      else job.worker = null;
    });
  }

  return {
    network,
    products,
    store,
    place,
    work,
    reconcile: (index: number) => at(index).reconcile(NEVER),
    heal: (index: number) => at(index).healReservations(NEVER),
    cancel: (index: number, id: number) => at(index).cancel(id, ADMIN, 'model'),
    advance(by: number) {
      seconds += by;
    },
    crash(index: number) {
      at(index).life.crash();
      processes[index % processes.length] = start();
    },
  };
}

export type SimulatedShop = ReturnType<typeof simulateShop>;
