import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Database, openDatabase } from '@shop/service-kit/postgres/open-database';
import { createLogger } from '@shop/service-kit/runtime/logger';
import { times } from '@shop/service-kit/testing/depth';
import { TEST_TIME_LIMIT_FACTOR } from '@shop/service-kit/testing/test-database';
import fc from 'fast-check';
import { v7 as uuidv7 } from 'uuid';
import { createContractSides, type Sides } from './support/contract.sides.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

const SEQUENCES = times(60, 400);
const USERS = 2;

let shop: TestShop;
let orders: Database;
let products: Database;
const logger = createLogger('order-service', 'silent');
beforeAll(async () => {
  shop = await startTestShop();
  orders = openDatabase(shop.databaseUrl, 2, logger, { timeLimitFactor: TEST_TIME_LIMIT_FACTOR });
  products = openDatabase(shop.products.databaseUrl, 2, logger, { timeLimitFactor: TEST_TIME_LIMIT_FACTOR });
});
afterAll(async () => {
  await orders.close();
  await products.close();
  await shop.close();
});

const by = fc.record({ userId: fc.integer({ min: 1, max: USERS }), key: fc.constantFrom('a', 'b', null) });
/** Selects one of the orders made so far in this sequence: any number, modulo their count. */
const one = fc.nat({ max: 30 });
const some = fc.uniqueArray(one, { minLength: 1, maxLength: 8 });
const quantities: fc.Arbitrary<number[]> = fc.constantFrom([1, 0], [0, 2], [2, 1], [1, 2], [5, 1]);
const step = fc.oneof(
  fc.record({
    kind: fc.constant('intents' as const),
    wanted: fc.array(by, { minLength: 1, maxLength: 8 }),
    hash: fc.constantFrom('x', 'y'),
  }),
  fc.record({
    kind: fc.constant('reserve' as const),
    some,
    baskets: fc.array(quantities, { minLength: 8, maxLength: 8 }),
  }),
  fc.record({ kind: fc.constant('place' as const), some }),
  fc.record({ kind: fc.constant('reject' as const), some, release: fc.boolean() }),
  fc.record({ kind: fc.constantFrom('release' as const, 'confirm' as const, 'statuses' as const), some }),
  fc.record({ kind: fc.constant('abandon' as const), some }),
  fc.record({ kind: fc.constant('cancel' as const), one }),
  fc.record({ kind: fc.constantFrom('find' as const, 'resume' as const), by }),
  // No sum of these equals the lease of a key or the deadline of an order.
  fc.record({ kind: fc.constant('time' as const), seconds: fc.constantFrom(3.5, 7.25, 31.25) }),
  fc.record({ kind: fc.constant('reconcile' as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer Taken> ? Taken : never;

/** Runs the step on both sides. @returns both results, without row ids, which may differ */
async function take(sides: Sides, taken: Step): Promise<unknown[]> {
  const idsOf = (places: number[]) =>
    [...new Set(places.map((place) => sides.idAt(place)))].filter((id) => id !== undefined);
  switch (taken.kind) {
    case 'intents':
      return sides.insertIntents(
        taken.wanted.map((name) => ({ ...name, requestHash: taken.hash, reservationId: uuidv7() })),
      );
    case 'reserve':
      return sides.reserve(
        idsOf(taken.some).map((reservationId, index) => ({
          reservationId,
          quantities: taken.baskets[index] ?? [1, 0],
        })),
      );
    case 'place':
      return sides.place(idsOf(taken.some));
    case 'reject':
      return sides.reject(idsOf(taken.some), taken.release);
    case 'release':
      return sides.release(idsOf(taken.some));
    case 'confirm':
      return sides.confirm(idsOf(taken.some));
    case 'statuses':
      return sides.statusesOf(idsOf(taken.some));
    case 'abandon':
      return sides.abandon(idsOf(taken.some));
    case 'cancel':
      return sides.cancel(sides.idAt(taken.one));
    case 'find':
      return sides.findKey(taken.by);
    case 'resume':
      return sides.resumeIntent({ ...taken.by, requestHash: 'x', reservationId: uuidv7() });
    case 'time':
      return sides.advance(taken.seconds);
    case 'reconcile':
      return sides.reconcile();
  }
}

const NAME = `the stores of the placement model behave like the statements on Postgres in ${SEQUENCES} sequences of steps`;
test(NAME, async () => {
  const isSame = fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 25 }), async (steps) => {
    const sides = await createContractSides({ orders: orders.query, products: products.query });
    for (const taken of steps) {
      const [simulated, real] = await take(sides, taken);
      expect({ after: taken.kind, returned: real }).toEqual({ after: taken.kind, returned: simulated });
    }
    const [simulated, real] = await sides.state();
    expect(real).toEqual(simulated);
  });
  await fc.assert(isSame, { numRuns: SEQUENCES });
});
