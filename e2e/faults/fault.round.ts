import { sleep } from '../support/process.ts';
import { createBuyer, createProducts } from './buyer.client.ts';
import type { History } from './client.history.ts';
import { STRIKES } from './fault.points.ts';
import type { FaultShop } from './fault.shop.ts';
import { createStriker, type PlannedStrike, planStrike } from './fault.strikes.ts';
import { checkHistory, checkOrders, checkReservations } from './invariant.checks.ts';
import { notReleased, ordersOf, unbalanced, underWay } from './invariant.queries.ts';
import { createRandom, type Random } from './seeded.random.ts';
import { startStockSampler } from './stock.sampler.ts';

export interface RoundResult {
  round: number;
  strikes: PlannedStrike[];
  history: History;
  samples: number;
  placed: number;
  /** Batches of more than ten orders, without those of killed processes. */
  largeBatches: number;
  /** Milliseconds from the end of all requests and repairs until no reservation was held and no job waited. */
  quietAfter: number;
  violations: string[];
}

interface RoundOptions {
  shop: FaultShop;
  seed: number;
  round: number;
}

const CLIENTS = 6;
/** Clients in every fourth round, so many that batches of more than ten orders occur. */
const RUSH = 32;
const SHORTEST = 500;
/** Milliseconds that a strike may wait for its point. */
const LONGEST = 2500;
/** docs/order-placement.md, I3. */
const QUIET_WITHIN = 60_000;
/** Milliseconds that clients continue after the last strike, so that they see its effects. */
const AFTERMATH = 250;

/** Runs one round: clients order while one or two faults strike. Then repairs everything and checks both databases. */
export async function playRound({ shop, seed, round }: RoundOptions): Promise<RoundResult> {
  const random = createRandom(seed + Math.imul(round + 1, 0x9e3779b1));
  const began = performance.now();
  const clock = () => Math.round(performance.now() - began);
  const strikes = planStrikes(seed, round, random);
  const since = (await shop.productDb.query('SELECT clock_timestamp() AS now')).rows[0].now as Date;
  const productIds = await createProducts(shop, random);
  const sampler = startStockSampler(shop.productDb, productIds, since);
  const striker = createStriker({ shop, random: random.fork(), strikes, clock });
  const history: History = { placements: [], changes: [] };
  const orders: number[] = [];
  const userIds = Array.from(
    { length: round % 4 === 3 ? RUSH : CLIENTS },
    (_, index) => 1000 + round * RUSH + index,
  );
  let over = false;

  shop.setGate(striker.gate);
  const buyers = userIds.map((userId) =>
    createBuyer({ shop, random: random.fork(), userId, productIds, history, orders, clock }),
  );
  const clients = buyers.map((buyer) => buyer.run(() => over));
  await Promise.all([striker.strikeAnyTime(), sleep(SHORTEST)]);
  while (!striker.allStruck() && clock() < LONGEST) await sleep(20);
  striker.giveUpWaiting();
  await sleep(AFTERMATH);
  over = true;
  await striker.mended();
  await Promise.all(clients);
  shop.setGate(async () => 'pass');
  for (const buyer of buyers) await buyer.finish();

  const quietAfter = await untilQuiet(shop);
  const { samples, violations } = await sampler.stop();
  const found = await checkAll(shop, { userIds, productIds, since, history });
  const { placements } = history;
  const placed = placements.filter(({ attempts }) => attempts.some(({ status }) => status === 201)).length;
  const late = quietAfter < QUIET_WITHIN ? [] : [`I3: not settled after ${QUIET_WITHIN} ms`];
  return {
    round,
    strikes,
    history,
    samples,
    placed,
    largeBatches: await shop.countLargeBatches(),
    quietAfter,
    violations: [...late, ...violations, ...found],
  };
}

/** The rounds cover every fault at every point, in an order given by the seed; some have a second fault. */
function planStrikes(seed: number, round: number, random: Random): PlannedStrike[] {
  const cycle = Math.floor(round / STRIKES.length);
  const inOrder = createRandom(seed + cycle).shuffle(STRIKES);
  const first = inOrder[round % STRIKES.length] ?? random.pick(STRIKES);
  const second = random.chance(0.4) ? [random.pick(STRIKES)] : [];
  return [first, ...second].map((strike) => planStrike(strike, random));
}

async function untilQuiet({ orderDb, productDb }: FaultShop): Promise<number> {
  const began = performance.now();
  const waited = () => Math.round(performance.now() - began);
  while (waited() < QUIET_WITHIN) {
    if ((await underWay(orderDb, productDb).catch(() => 1)) === 0) return waited();
    await sleep(20);
  }
  return QUIET_WITHIN;
}

interface Played {
  userIds: number[];
  productIds: number[];
  since: Date;
  history: History;
}

async function checkAll(shop: FaultShop, { userIds, productIds, since, history }: Played): Promise<string[]> {
  const { orderDb, productDb } = shop;
  const [orders, held, stock] = await Promise.all([
    ordersOf(orderDb, userIds),
    notReleased(productDb, since),
    unbalanced(productDb, productIds, since),
  ]);
  const ended = [...shop.orders, ...shop.products].filter(({ process }) => process.hasEnded());
  return [
    ...ended.map(({ process }) => `a service ended unexpectedly: ${process.output()}`),
    ...stock,
    ...checkReservations(orders, held),
    ...checkOrders(orders),
    ...checkHistory(history, orders),
  ];
}
