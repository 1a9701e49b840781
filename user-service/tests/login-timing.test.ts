import { afterAll, beforeAll, expect, test } from '@jest/globals';
import request from 'supertest';
import { type Replica, startTestShop, type TestShop } from './support/test-shop.ts';
import { register } from './support/user.factory.ts';

/** Logins of each kind; they alternate, so that other load affects both equally. */
const SAMPLES = 200;
const MAX_DIFFERENCE = 0.05;

let shop: TestShop;
let replica: Replica;
beforeAll(async () => {
  shop = await startTestShop();
  // At this cost a hash takes about 20 ms: most of a login, as in production, but fast enough for 400 logins.
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

interface Costs {
  /** Processor time of this process in milliseconds, which other processes do not affect. */
  processor: number;
  /** Milliseconds until the response, which other load affects. */
  waiting: number;
}

async function costsOf(username: string): Promise<Costs> {
  const [usageBefore, startedAt] = [process.cpuUsage(), performance.now()];
  await request(replica.app)
    .post('/api/users/login')
    .send({ username, password: 'wrong-password' })
    .expect(401);
  const { user, system } = process.cpuUsage(usageBefore);
  return { processor: (user + system) / 1000, waiting: performance.now() - startedAt };
}
const medianOf = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** Relative difference of the medians of unknown and known users: 0.1 is a tenth. */
async function compare(known: string, unknown: string): Promise<Costs> {
  const [ofKnown, ofUnknown]: [Costs[], Costs[]] = [[], []];
  for (let i = 0; i < SAMPLES; i += 1) {
    ofKnown.push(await costsOf(known));
    ofUnknown.push(await costsOf(unknown));
  }
  const difference = (what: keyof Costs) => {
    const [one, other] = [ofKnown, ofUnknown].map((costs) => medianOf(costs.map((each) => each[what])));
    const more = Number(other) / Number(one) - 1;
    console.log(
      `login, medians of ${SAMPLES}, ${what}: known user ${one?.toFixed(2)} ms, unknown ${other?.toFixed(2)} ms, ` +
        `difference ${(more * 100).toFixed(1)} %`,
    );
    return more;
  };
  return { processor: difference('processor'), waiting: difference('waiting') };
}

/** The smaller of two measurements, because other load may affect only one of them. */
const smallestOf = ({ processor, waiting }: Costs) => Math.min(Math.abs(processor), Math.abs(waiting));

test('a login takes as long for an unknown user as for a known one', async () => {
  const { user } = await register(replica.app);
  for (let i = 0; i < 20; i += 1) await costsOf(user.username);
  const first = await compare(user.username, 'nobody-at-all');
  if (smallestOf(first) <= MAX_DIFFERENCE) return;
  // A real difference would show again.
  const second = await compare(user.username, 'nobody-at-all');
  expect(smallestOf(second)).toBeLessThanOrEqual(MAX_DIFFERENCE);
});
