import { afterAll, beforeAll, expect, test } from '@jest/globals';
import request from 'supertest';
import { type Replica, startTestShop, type TestShop } from './support/test-shop.ts';
import { register } from './support/user.factory.ts';

/** Logins of each kind; the two take turns, so that whatever else the machine does hits both alike. */
const SAMPLES = 200;
const MAX_DIFFERENCE = 0.05;
const MORE_CHANCES = 3;

let shop: TestShop;
let replica: Replica;
beforeAll(async () => {
  shop = await startTestShop();
  // A hash of some 20 ms is most of a login, as it is at the cost of the contract, and 400 of them are soon made.
  const unlimited = '100000/900';
  replica = await shop.startReplica({
    env: {
      BCRYPT_COST: '8',
      RATE_LIMIT_ENABLED: 'true',
      RATE_LIMIT_LOGIN: unlimited,
      RATE_LIMIT_LOGIN_FAILURES: unlimited,
      RATE_LIMIT_LOGIN_FAILURES_ADDRESS: unlimited,
    },
  });
});
afterAll(() => shop.close());

async function millisecondsOf(username: string): Promise<number> {
  const startedAt = performance.now();
  await request(replica.app)
    .post('/api/users/login')
    .send({ username, password: 'wrong-password' })
    .expect(401);
  return performance.now() - startedAt;
}
const medianOf = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

async function compare(known: string, unknown: string) {
  const times: Record<'known' | 'unknown', number[]> = { known: [], unknown: [] };
  for (let i = 0; i < SAMPLES; i += 1) {
    times.known.push(await millisecondsOf(known));
    times.unknown.push(await millisecondsOf(unknown));
  }
  const [ofKnown, ofUnknown] = [medianOf(times.known), medianOf(times.unknown)];
  const difference = ofUnknown / ofKnown - 1;
  console.log(
    `login, medians of ${SAMPLES}: known user ${ofKnown.toFixed(2)} ms, unknown ${ofUnknown.toFixed(2)} ms, ` +
      `difference ${(difference * 100).toFixed(1)} %`,
  );
  return Math.abs(difference);
}

test('a login takes as long for an unknown user as for a known one', async () => {
  const { user } = await register(replica.app);
  await millisecondsOf(user.username);
  // A busy machine gets more chances; a difference that is there is there every time.
  let difference = await compare(user.username, 'nobody-at-all');
  for (let more = 0; more < MORE_CHANCES && difference > MAX_DIFFERENCE; more += 1)
    difference = await compare(user.username, 'nobody-at-all');
  expect(difference).toBeLessThanOrEqual(MAX_DIFFERENCE);
}, 240_000);
