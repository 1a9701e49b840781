import { sleep, until } from '../support/process.ts';
import { type Fault, isAt, isOfProxy, type Strike } from './fault.points.ts';
import type { Message, Passage } from './fault.proxy.ts';
import type { FaultShop } from './fault.shop.ts';
import type { Random } from './seeded.random.ts';
import { holdLock, lockProduct } from './statement.locks.ts';

/** A planned strike and its result; times in milliseconds since the round began. */
export interface PlannedStrike extends Strike {
  /** Messages that pass at its point before it strikes, or its delay if it has no point. */
  readonly after: number;
  struckAt?: number;
}

interface StrikerOptions {
  shop: FaultShop;
  random: Random;
  strikes: PlannedStrike[];
  /** Milliseconds since the round began. */
  clock: () => number;
}

/** Longer than the deadline of a placement, in milliseconds. */
const PAST_DEADLINE = [2300, 2900] as const;
const LONGEST_DELAY = 1200;
/** Around the time limits of a statement, in milliseconds. */
const LATE = [300, 1800] as const;

/** Executes the strikes of one round, each once, and repairs the damage a little later. */
export function createStriker({ shop, random, strikes, clock }: StrikerOptions) {
  const { orders, products, orderPostgres, productPostgres, orderLink, productLink } = shop;
  const mending: Promise<void>[] = [];
  /** The targets that are broken now; they are not struck again until they are repaired. */
  const turns = new Map<object, Promise<void>>();

  async function outage(target: object, hit: () => unknown, mend: () => unknown, length: number) {
    const before = turns.get(target) ?? Promise.resolve();
    const { promise: over, resolve: finish } = withResolver();
    turns.set(
      target,
      before.then(() => over),
    );
    await before;
    await hit();
    mending.push(sleep(length).then(mend).then(finish));
  }

  const killed = (target: { kill(): Promise<void>; start(): Promise<void> }) =>
    outage(target, target.kill, target.start, random.int(0, 300));
  const paused = (target: { pause(): void; resume(): void }, min: number, max: number) =>
    outage(target, target.pause, target.resume, random.int(min, max));

  /** Delays responses, also inside transactions. */
  const late = (link: FaultShop['orderLink']) =>
    outage(
      link,
      () => link.slowDown(random.int(...LATE)),
      () => link.slowDown(0),
      random.int(300, 1600),
    );
  async function lockOneProduct(): Promise<void> {
    const release = await lockProduct(shop);
    mending.push(sleep(random.int(100, 1800)).then(release));
  }

  const strikeAt: Record<Exclude<Fault, `${'cut' | 'swallow'}${string}`>, () => Promise<void>> = {
    'kill order-service': () => killed(random.pick(orders)),
    'pause order-service': () => paused(random.pick(orders), 100, 1000),
    'stop order-service past the deadline': () => paused(random.pick(orders), ...PAST_DEADLINE),
    'kill product-service': () => killed(random.pick(products)),
    'pause product-service': () => paused(random.pick(products), 100, 1600),
    'kill order database': () => killed(orderPostgres),
    'crash order database': async () => orderPostgres.crash(),
    'pause order database': () => paused(orderPostgres, 100, 1600),
    'kill product database': () => killed(productPostgres),
    'crash product database': async () => productPostgres.crash(),
    'pause product database': () => paused(productPostgres, 100, 1600),
    'late order database': () => late(orderLink),
    'late product database': () => late(productLink),
    'lock a product': lockOneProduct,
    delay: () => sleep(random.int(50, LONGEST_DELAY)),
  };

  async function carryOut({ fault, point }: Strike): Promise<Passage> {
    if (fault === 'cut before it arrives' || fault === 'swallow the response') return 'cut';
    if (fault === 'cut in the request' || fault === 'cut in the response') return 'cut in the middle';
    const hit = strikeAt[fault];
    const lock = isOfProxy(fault) ? undefined : await holdLock(shop, point);
    if (lock === undefined) await hit();
    else mending.push(lock.untilAwaited().then(hit).finally(lock.release));
    return 'pass';
  }

  const waiting = new Set(strikes.filter(({ point }) => point !== 'any time'));
  const left = new Map(strikes.map((strike) => [strike, strike.after]));
  const due = (strike: PlannedStrike, message: Message) => {
    if (!isAt(strike.point, message)) return false;
    left.set(strike, (left.get(strike) ?? 0) - 1);
    return (left.get(strike) ?? 0) < 0;
  };

  return {
    /** For the proxies. */
    async gate(message: Message): Promise<Passage> {
      const strike = [...waiting].find((planned) => due(planned, message));
      if (strike === undefined) return 'pass';
      waiting.delete(strike);
      strike.struckAt = clock();
      return carryOut(strike);
    },

    /** Executes the strikes without a message. */
    async strikeAnyTime(): Promise<void> {
      const timed = strikes.filter(({ point }) => point === 'any time');
      await Promise.all(
        timed.map(async (strike) => {
          await sleep(strike.after);
          strike.struckAt = clock();
          await carryOut(strike);
        }),
      );
    },

    allStruck: () => waiting.size === 0,
    giveUpWaiting: () => waiting.clear(),

    /** Waits until everything runs again. */
    async mended(): Promise<void> {
      for (let done = 0; done < mending.length; done = mending.length) await Promise.all(mending);
      await until('all replicas are ready', async () =>
        (await Promise.all([...orders, ...products].map(({ url }) => fetch(`${url}/ready`)))).every(
          ({ ok }) => ok,
        ),
      );
    },
  };
}

/** Chooses the time or the message of a strike; jobs send fewer messages than clients. */
export function planStrike(strike: Strike, random: Random): PlannedStrike {
  if (strike.point === 'any time') return { ...strike, after: random.int(0, 900) };
  const ofJobs = /confirm|release/.test(strike.point);
  return { ...strike, after: random.int(0, ofJobs ? 1 : 6) };
}

function withResolver() {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
