import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { signAccessToken } from '@shop/service-kit/tokens/access-token';
import { secretKey } from '@shop/service-kit/tokens/token-keys';
import { addProducts } from './support/catalogue.ts';
import { call } from './support/http.ts';
import { until } from './support/process.ts';
import { startRelay } from './support/relay.ts';
import { startClient } from './support/signed-in.client.ts';
import { JWT_SECRET, type ServiceProcess, type Stack, startStack, testServer } from './support/stack.ts';

const CLIENTS = 3;
const createPair = () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x } = publicKey.export({ format: 'jwk' });
  return {
    x,
    // On one line, as an env file has it.
    privatePem: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString().replaceAll('\n', '\\n'),
    publicPem: publicKey.export({ format: 'pem', type: 'spki' }).toString().replaceAll('\n', '\\n'),
  };
};
const [old, next] = [createPair(), createPair()];

let users: Stack;
let replicas: ServiceProcess[];
let relay: Awaited<ReturnType<typeof startRelay>>;
let shop: Stack;
beforeAll(async () => {
  const redisUrl = testServer('TEST_REDIS_URL');
  const signing = { JWT_SECRET_KEY: '', JWT_PRIVATE_KEY: old.privatePem };
  users = await startStack({ redisUrl, only: ['user-service'], env: signing });
  replicas = [users.user, await users.user.replicate()];
  relay = await startRelay(replicas.map(({ url }) => url));
  const reading = {
    JWT_SECRET_KEY: '',
    JWKS_URL: `${relay.url}/.well-known/jwks.json`,
    USER_SERVICE_URL: relay.url,
  };
  shop = await startStack({ redisUrl, only: ['product-service', 'order-service'], env: reading });
});
afterAll(async () => {
  await shop.close();
  await relay.close();
  await replicas[1]?.stop();
  await users.close();
});

/** Restarts one replica after the other, as in a rollout. */
async function rollOut(changes: Record<string, string>) {
  for (const replica of replicas) {
    await relay.takeOut(replica.url);
    await replica.restart(changes);
    relay.putIn(replica.url);
  }
}
const publishedKeys = async () => {
  const { body } = await call('GET', `${relay.url}/.well-known/jwks.json`);
  return body['keys'] as unknown as { kid: string; x: string }[];
};
const kidOf = (token = '') =>
  JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString() || '{}').kid as string;

describe('a change of keys', () => {
  test('under load: no request fails and no user is signed out', async () => {
    const [product = 0] = await addProducts(shop.product.databaseUrl, 1, 1_000_000);
    const clients = await Promise.all(
      Array.from({ length: CLIENTS }, (_, i) =>
        startClient({
          userUrl: relay.url,
          productUrl: shop.product.url,
          orderUrl: shop.order.url,
          product,
          name: `rotation-${process.pid}-${i}`,
        }),
      ),
    );
    const allHoldTokensOf = (kid: string) =>
      until('every client holds tokens of the key', async () =>
        clients.every((client) => {
          const { access_token, refresh_token } = client.tokens() ?? {};
          return kidOf(access_token) === kid && kidOf(refresh_token) === kid;
        }),
      );
    await rollOut({ JWT_VERIFICATION_KEYS: next.publicPem });
    const [first, second] = await publishedKeys();
    expect([first?.x, second?.x]).toEqual([old.x, next.x]);
    await allHoldTokensOf(first?.kid ?? '');

    await rollOut({ JWT_PRIVATE_KEY: next.privatePem, JWT_VERIFICATION_KEYS: old.publicPem });
    await allHoldTokensOf(second?.kid ?? '');

    await rollOut({ JWT_VERIFICATION_KEYS: '' });
    expect((await publishedKeys()).map(({ x }) => x)).toEqual([next.x]);
    await allHoldTokensOf(second?.kid ?? '');

    const seen = await Promise.all(clients.map((client) => client.stop()));
    const sum = (count: 'requests' | 'retries') => seen.reduce((all, client) => all + client[count], 0);
    const failures = seen.flatMap((client) => client.failures);
    console.log(
      `three steps of a key rotation: ${sum('requests')} requests, ${failures.length} failed, ${sum('retries')} repeated because the machine was overloaded`,
    );
    expect(failures).toEqual([]);
  });

  test('leaves no service with a signing key: tokens of a shared secret are refused', async () => {
    const admin = { id: 1, role: 'admin', sessionId: 's' } as const;
    const token = signAccessToken(admin, secretKey(JWT_SECRET), 3600);
    for (const url of [`${relay.url}/api/users/me`, `${shop.order.url}/api/orders`])
      expect((await call('GET', url, undefined, { token })).status).toBe(401);
  });
});

describe('while user-service is down', () => {
  test('the other services use the keys that they know', async () => {
    const name = `away-${process.pid}`;
    const body = { username: name, email: `${name}@example.com`, password: 'securepass123' };
    const registered = await call('POST', `${relay.url}/api/users/register`, body);
    const token = String(registered.body['tokens']?.['access_token']);
    await Promise.all(replicas.map((replica) => replica.stop()));
    const orders = await call('GET', `${shop.order.url}/api/orders`, undefined, { token });
    expect(orders.status).toBe(200);
    expect((await call('GET', `${shop.order.url}/ready`)).status).toBe(200);
  });
});
