import { expect, test } from '@jest/globals';
import { AppError } from '@shop/service-kit/errors/app-error';
import { times } from '@shop/service-kit/testing/depth';
import fc from 'fast-check';
import type { PlaceOrder } from '../src/placement/placement.use-cases.ts';
import { FATES, Lost } from './support/simulated.network.ts';
import { type Got, type SimulatedShop, type Step, simulateShop } from './support/simulated.shop.ts';

/** Schedules for each batch size. */
const SCHEDULES = times(300, 1250);
const SIZES = [1, 2, 3, 4, 5, 6, 7, 8];
/** More than an order's deadline, a key's lease and the age at which a held reservation is checked. */
const LONG = 61;
/** Too little stock for most schedules, or enough for all orders. */
const STOCKS = [
  [3, 4],
  [60, 60],
];
const FIRST_KEYLESS = 10;

interface Request {
  key: string | null;
  process: number;
  wait: number;
  quantities: number[];
  /** How often a client with a key retries. */
  retries: number;
}

interface Client {
  asked: Request;
  order: PlaceOrder;
  got: Got[];
}

const process = fc.nat({ max: 1 });
const wait = fc.nat({ max: 12 });
const request: fc.Arbitrary<Request> = fc.record({
  key: fc.constantFrom('a', 'a', 'b', null),
  process,
  wait,
  quantities: fc.constantFrom([1, 0], [0, 2], [2, 1], [1, 2], [5, 1]),
  retries: fc.nat({ max: 2 }),
});
const disturbance = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), process, wait }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('time' as const), by: fc.constantFrom(3, 6, 31, LONG), wait }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom('work', 'reconcile', 'heal', 'cancel'), process, wait }),
  },
);
type Disturbance = { kind: string; process?: number; by?: number; wait: number };

/** A batch of so many orders that arrive together, and a few others. */
const scenarioOf = (size: number) =>
  fc.record({
    scheduler: fc.scheduler(),
    batch: fc.array(request, { minLength: size, maxLength: size }),
    isKeyless: fc.boolean(),
    others: fc.array(request, { maxLength: 2 }),
    stock: fc.constantFrom(...STOCKS),
    disturbances: fc.array(disturbance, { maxLength: 10 }),
    fates: fc.array(fc.constantFrom('ok' as const, 'ok' as const, ...FATES), { maxLength: 24 }),
  });
type Schedule = ReturnType<typeof scenarioOf> extends fc.Arbitrary<infer Made> ? Made : never;

/** Key `a` is used correctly, for one basket; `b` for several. */
function orderOf(asked: Request, requests: Request[], userId: number): PlaceOrder {
  const first = asked.key === 'a' ? (requests.find(({ key }) => key === 'a') ?? asked) : asked;
  const products = first.quantities.flatMap((quantity, index) =>
    quantity === 0 ? [] : [{ product_id: index + 1, quantity }],
  );
  return { userId, role: 'customer', key: asked.key, request: { products }, requestId: 'model' };
}

async function ask(shop: SimulatedShop, { asked, order, got }: Client): Promise<void> {
  for (let step = 0; step < asked.wait; step++) await shop.network.step();
  for (let tries = 0; tries <= asked.retries; tries++) {
    const response = await shop.place(asked.process + tries, order);
    got.push(response);
    if (asked.key === null || 'status' in response) return;
  }
}

async function disturb(shop: SimulatedShop, { kind, process: index = 0, by = 0, wait: steps }: Disturbance) {
  for (let step = 0; step < steps; step++) await shop.network.step();
  if (kind === 'crash') return shop.crash(index);
  if (kind === 'time') return shop.advance(by);
  if (kind === 'work') return shop.work(index);
  if (kind === 'reconcile') return shop.reconcile(index);
  if (kind === 'heal') return shop.heal(index);
  const placed = [...shop.store.orders.values()].find(({ placement }) => placement === 'PLACED');
  if (placed !== undefined) await shop.cancel(index, placed.id);
}

/** Runs the cleanup until nothing is left to do. */
async function settle(shop: SimulatedShop): Promise<void> {
  const { orders, jobs } = shop.store;
  shop.crash(0);
  shop.crash(1);
  for (let rounds = 0; rounds < 20; rounds++) {
    shop.advance(LONG);
    await shop.reconcile(0);
    for (let left = jobs.size; left > 0; left--) await shop.work(0);
    await shop.heal(0);
    const open = [...orders.values()].filter(({ placement }) => placement === 'PLACING');
    if (open.length + jobs.size + shop.products.held().length === 0) return;
  }
  throw new Error('the cleanup does not end');
}

/** I3 and I5. */
function checkOrders({ store, products }: SimulatedShop): string[] {
  const standing = [...store.orders.values()].filter(
    ({ placement, status }) => placement === 'PLACED' && status !== 'cancelled',
  );
  const wanted = standing.map(({ reservationId, lines }) =>
    [reservationId, ...lines.map(({ productId, quantity }) => `${productId}×${quantity}`)].join(' '),
  );
  const found = [...products.holding()].map(([id, lines]) =>
    [id, ...lines.map(({ product_id, quantity }) => `${product_id}×${quantity}`)].join(' '),
  );
  const apart = wanted.sort().join() === found.sort().join() ? [] : [`I3: ${wanted} ordered, ${found} held`];
  const wrong = standing.filter(
    ({ lines, totalMinor }) =>
      totalMinor !== lines.reduce((sum, line) => sum + line.priceMinor * BigInt(line.quantity), 0n),
  );
  return [...apart, ...wrong.map(({ id }) => `I5: order ${id}`)];
}

/** I4: every 201 exists, one order per user and key, one response per key. */
function checkResponses({ store }: SimulatedShop, userId: number, got: Got[]): string[] {
  const placed = [...store.orders.values()].filter(
    (order) => order.userId === userId && order.placement === 'PLACED',
  );
  const final = got.filter((response) => 'status' in response);
  const lost = final.filter(
    ({ status, body }) => status === 201 && JSON.parse(body).order.id !== placed[0]?.id,
  );
  return [
    ...(placed.length > 1 ? [`I4: ${placed.length} orders of user ${userId}`] : []),
    ...(new Set(final.map(({ body }) => body)).size > 1
      ? [`I4: different responses for user ${userId}`]
      : []),
    ...lost.map(({ body }) => `I4: not there: ${body}`),
  ];
}

function isOfAnotherBasket(response: Got, { request: { products } }: PlaceOrder): boolean {
  if (!('status' in response) || response.status !== 201) return false;
  const received: PlaceOrder['request']['products'] = JSON.parse(response.body).order.products;
  const named = (lines: typeof received) => lines.map((line) => `${line.product_id}×${line.quantity}`).join();
  return named(received) !== named(products);
}

/** Lets the scheduler choose the order of all steps until the end. */
async function playAll(scheduler: fc.Scheduler): Promise<void> {
  // Batches are sent at the end of a turn of the event loop: each step gets this long to lead to the next one.
  const turns = async () => {
    await new Promise(setImmediate);
    await new Promise(setImmediate);
  };
  for (await turns(); scheduler.count() > 0; await turns()) await scheduler.waitOne();
  await scheduler.waitIdle();
}

/** Runs one schedule and the cleanup. @returns the violated invariants */
async function play(schedule: Schedule, sizes: Record<Step, Set<number>>): Promise<unknown[]> {
  const { scheduler, batch, isKeyless, others: singles, stock, disturbances, fates } = schedule;
  const shop = simulateShop({ scheduler, fates, stock, sizes });
  const together = batch.map((one) => ({ ...one, wait: 0, process: 0, key: isKeyless ? null : one.key }));
  const requests = [...together, ...singles];
  const broken: unknown[] = [];
  const unexpected = (error: unknown) => {
    if (!(error instanceof AppError || error instanceof Lost)) broken.push(error);
  };
  // One user per key and per keyless request, so that each user must have exactly one order.
  const clients = requests.map((asked, index): Client => {
    const userId = asked.key === null ? FIRST_KEYLESS + index : asked.key.charCodeAt(0);
    return { asked, order: orderOf(asked, requests, userId), got: [] };
  });
  for (const client of clients) void ask(shop, client).catch(unexpected);
  for (const planned of disturbances) void disturb(shop, planned).catch(unexpected);
  await playAll(scheduler);
  broken.push(...shop.products.violations());

  shop.network.calmDown();
  await settle(shop);
  for (const { order, got } of clients.filter(({ asked }) => asked.key !== null)) {
    const again = await shop.place(0, order);
    // Every key must get a final response in the end.
    if (!('status' in again) && again.code !== 'idempotency_mismatch')
      broken.push(`${order.key}: ${again.code}`);
    got.push(again);
  }
  await settle(shop);
  const users = new Set(clients.map(({ order }) => order.userId));
  const gotBy = (userId: number) => clients.flatMap(({ order, got }) => (order.userId === userId ? got : []));
  const responses = [...users].flatMap((userId) => checkResponses(shop, userId, gotBy(userId)));
  const others = clients.filter(({ order, got }) =>
    got.some((response) => isOfAnotherBasket(response, order)),
  );
  return [
    ...broken,
    ...shop.products.violations(),
    ...checkOrders(shop),
    ...responses,
    ...others.map(({ order }) => `I4: the order of another basket under ${order.key}`),
  ];
}

const NAME = `no invariant is violated in ${SCHEDULES} schedules of crashes, duplicates, delays and reorderings with batches of %i`;
test.each(SIZES)(
  NAME,
  async (size) => {
    const sizes = { intent: new Set<number>(), reserve: new Set<number>(), place: new Set<number>() };
    const isWhole = fc.asyncProperty(scenarioOf(size), async (schedule) =>
      expect(await play(schedule, sizes)).toEqual([]),
    );
    await fc.assert(isWhole, { numRuns: SCHEDULES });
    // Each step was taken by a full batch at least once.
    expect(Object.values(sizes).map((seen) => seen.has(size))).toEqual([true, true, true]);
  },
  240_000,
);
