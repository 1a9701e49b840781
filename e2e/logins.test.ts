import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { call } from './support/http.ts';
import { type Stack, startStack, testServer } from './support/stack.ts';

const PASSWORD = 'securepass123';
/** Milliseconds that a request may wait for its turn: an earlier refusal has another reason. */
const MAX_WAIT = 10_000;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ redisUrl: testServer('TEST_REDIS_URL'), only: ['user-service'] });
});
afterAll(() => stack.close());

test('200 simultaneous logins at a new process all return 200', async () => {
  const post = (path: string, body: object) =>
    call('POST', `${stack.user.url}/api/users/${path}`, body, { limit: 60_000 });
  const user = { username: 'rush', email: 'rush@example.com', password: PASSWORD };
  expect((await post('register', user)).status).toBe(201);
  await stack.user.restart({});
  const logIn = async () => {
    const startedAt = performance.now();
    const { status, body } = await post('login', { username: user.username, password: PASSWORD });
    // A machine that cannot hash 200 passwords in this time may refuse only the last of them.
    const isLate = status === 503 && performance.now() - startedAt >= MAX_WAIT;
    return status === 200 || isLate ? 200 : `${status} ${body['code']}: ${body['detail']}`;
  };
  expect(await Promise.all(Array.from({ length: 200 }, logIn))).toEqual(Array(200).fill(200));
});
