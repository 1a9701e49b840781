import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PROCESS_SETTINGS } from '@shop/service-kit/process-settings';
import { signAccessToken } from '@shop/service-kit/tokens/access-token';
import { secretKey } from '@shop/service-kit/tokens/token-keys';
import { call } from './support/http.ts';
import { startProcess } from './support/process.ts';
import { folderOf, type ServiceName } from './support/service-database.ts';
import { type Stack, startStack, testServer } from './support/stack.ts';

/** The secret in the documentation of the original. */
const PUBLISHED = 'your-secret-key-change-in-production';
const HASHES = ['sha256', 'sha1', 'md5'].flatMap((algorithm) => {
  const digest = createHash(algorithm).update(PUBLISHED).digest();
  return [digest.toString('hex'), digest.toString('base64')];
});
const SHORT = 'x'.repeat(31);
const STRONG = 'a-secret-of-the-tests-that-is-long-enough';
const env = { NODE_ENV: 'production', SMTP_URL: 'smtp://127.0.0.1:1' };
/** Never called here. */
const USER_SERVICE_URL = 'http://127.0.0.1:1';

/** The output of a service that must exit with 1. */
async function refusalOf(service: ServiceName, variable: string, secret: string): Promise<string> {
  const process = startProcess('node', ['dist/server.js'], {
    cwd: folderOf(service),
    env: {
      ...env,
      PORT: '0',
      DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none',
      PRODUCT_SERVICE_URL: 'http://127.0.0.1:1',
      USER_SERVICE_URL,
      JWT_SECRET_KEY: STRONG,
      SERVICE_TOKEN_SECRET: STRONG,
      [variable]: secret,
    },
  });
  const timer = setTimeout(() => process.signal('SIGKILL'), 100_000);
  const code = await process.ended();
  clearTimeout(timer);
  expect(code).toBe(1);
  return process.output();
}

// The kit's test of the configuration covers every refused secret; here each variable gets one of each kind.
describe('in production a service does not start with a published secret, its hash, or a short one', () => {
  test.each<[ServiceName, string, string]>([
    ['user-service', 'JWT_SECRET_KEY', HASHES[0] ?? ''],
    ['user-service', 'SERVICE_TOKEN_SECRET', SHORT],
    ['product-service', 'JWT_SECRET_KEY', SHORT],
    ['product-service', 'SERVICE_TOKEN_SECRET', HASHES[1] ?? ''],
    ['order-service', 'JWT_SECRET_KEY', HASHES[2] ?? ''],
    ['order-service', 'SERVICE_TOKEN_SECRET', SHORT],
  ])('%s with %s', async (service, variable, secret) => {
    const refusals = await Promise.all(
      [PUBLISHED, secret].map((refused) => refusalOf(service, variable, refused)),
    );
    for (const refusal of refusals) expect(refusal).toMatch(new RegExp(`^${service}: ${variable} `));
    expect(refusals.join()).not.toContain(PUBLISHED);
  });
});

test.each<[ServiceName, string]>([
  ['product-service', 'USER_SERVICE_URL'],
  ['order-service', 'USER_SERVICE_URL'],
  ['order-service', 'PRODUCT_SERVICE_URL'],
])('in production %s does not start without %s', async (service, variable) => {
  expect(await refusalOf(service, variable, '')).toMatch(new RegExp(`^${service}: ${variable} `));
});

test('the images start the services with the same settings as the benches', async () => {
  const dockerfile = await readFile(new URL('../deploy/Dockerfile', import.meta.url), 'utf8');
  const { UV_THREADPOOL_SIZE: _ofThisMachine, ...fixed } = PROCESS_SETTINGS;
  for (const [name, value] of Object.entries(fixed))
    expect(dockerfile.replaceAll('"', '')).toContain(` ${name}=${value}`);
});

describe('in production', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ redisUrl: testServer('TEST_REDIS_URL'), env });
  });
  afterAll(() => stack.close());

  test.each([PUBLISHED, ...HASHES, SHORT])('no service accepts a token signed with %s', async (secret) => {
    const admin = { id: 1, role: 'admin', sessionId: 's' } as const;
    const token = signAccessToken(admin, secretKey(secret), 3600);
    for (const url of [
      `${stack.user.url}/api/users`,
      `${stack.product.url}/api/products/1/stock-movements`,
      `${stack.order.url}/api/orders?scope=all`,
    ]) {
      expect((await call('GET', url, undefined, { token })).status).toBe(401);
    }
  });
});
