import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Answer, call } from './support/http.ts';
import { sleep, startProcess } from './support/process.ts';
import { type Stack, startStack, testServer } from './support/stack.ts';

const LOGINS = 200;
/** A process that hashed where it answers would take seconds; on a quiet machine it stays under 50 ms. */
const MAX_HEALTH_P99 = 500;
/** The longest wait in the queue, the hash, and what a busy machine adds; in milliseconds. */
const LIMIT = 10_000;

let stack: Stack;
beforeAll(async () => {
  const env = { BCRYPT_COST: '12' };
  stack = await startStack({ redisUrl: testServer('TEST_REDIS_URL'), only: ['user-service'], env });
});
afterAll(() => stack.close());

/** Starts asking for /health; the result is what it took until then. */
function watchHealth() {
  const probe = fileURLToPath(new URL('support/latency.probe.ts', import.meta.url));
  const process = startProcess('node', ['--import', 'tsx', probe, `${stack.user.url}/health`]);
  return async () => {
    await process.stop();
    return JSON.parse(process.output()) as { count: number; failed: number; p50: number; p99: number };
  };
}

test('200 logins at once: some succeed, the others are told to come again, and the process stays awake', async () => {
  const user = { username: `rush-${process.pid}`, password: 'securepass123' };
  const url = `${stack.user.url}/api/users`;
  await call('POST', `${url}/register`, { ...user, email: `${user.username}@example.com` });
  const stopWatching = watchHealth();
  await sleep(1000);
  const startedAt = Date.now();
  const answers: Answer[] = await Promise.all(
    Array.from({ length: LOGINS }, () => call('POST', `${url}/login`, user, { limit: LIMIT })),
  );
  const seconds = (Date.now() - startedAt) / 1000;
  const health = await stopWatching();
  const succeeded = answers.filter(({ status }) => status === 200);
  const refused = answers.filter(({ status }) => status === 503);
  console.log(
    `${LOGINS} logins at once: ${succeeded.length} succeeded, ${refused.length} got 503, all within ${seconds.toFixed(1)} s; ` +
      `/health meanwhile: ${health.count} times, p50 ${health.p50.toFixed(1)} ms, p99 ${health.p99.toFixed(1)} ms`,
  );
  expect(succeeded.length).toBeGreaterThan(0);
  expect(succeeded.length + refused.length).toBe(LOGINS);
  for (const { headers, body } of refused)
    expect([Number(headers.get('retry-after')) > 0, body['code']]).toEqual([true, 'busy']);
  expect(health.failed).toBe(0);
  expect(health.p99).toBeLessThan(MAX_HEALTH_P99);
});
