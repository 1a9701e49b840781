import { afterAll, beforeAll, expect, test } from '@jest/globals';
import request from 'supertest';
import { type Replica, startTestShop, type TestShop } from './support/test-shop.ts';
import { register } from './support/user.factory.ts';

/** Logins of each kind; the two take turns, so that whatever else the machine does hits both alike. */
const SAMPLES = 200;
const MAX_DIFFERENCE = 0.05;

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

interface Costs {
  /** Milliseconds of all threads of this process, which no other process adds to. */
  processor: number;
  /** Milliseconds until the response; whatever else runs on the machine adds to them. */
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

/** How much more a login of the unknown user costs, by the medians: 0.1 is a tenth. */
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

/** Of two figures for one thing the better one: what a busy machine does to one of them it need not do to the other. */
const smallestOf = ({ processor, waiting }: Costs) => Math.min(Math.abs(processor), Math.abs(waiting));

test('a login takes as long for an unknown user as for a known one', async () => {
  const { user } = await register(replica.app);
  for (let i = 0; i < 20; i += 1) await costsOf(user.username);
  const first = await compare(user.username, 'nobody-at-all');
  if (smallestOf(first) <= MAX_DIFFERENCE) return;
  // A difference that is there is there again.
  const second = await compare(user.username, 'nobody-at-all');
  expect(smallestOf(second)).toBeLessThanOrEqual(MAX_DIFFERENCE);
}, 120_000);
