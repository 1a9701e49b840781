import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TokenKey } from '../src/tokens/token-keys.ts';

/** A key pair of a signing service. */
export interface TestKey {
  signer: TokenKey;
  jwk: object;
  /** The public key, which an attacker can read and try as a secret. */
  publicPem: string;
}

export function createTestKey(kid: string): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    signer: { algorithm: 'ES256', key: privateKey, kid },
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' },
    publicPem: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
  };
}

/** Publishes keys as a signing service does; it can be unavailable and can misbehave. */
export async function startKeyServer(...keys: TestKey[]) {
  let published = keys;
  let server: Server | undefined;
  let port = 0;
  let reads = 0;
  const publish: RequestListener = (_request, response) => {
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ keys: published.map(({ jwk }) => jwk) }));
  };
  let result = publish;
  const start = async () => {
    server = createServer((request, response) => {
      reads += 1;
      result(request, response);
    }).listen(port, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  };
  await start();
  return {
    url: `http://127.0.0.1:${port}/.well-known/jwks.json`,
    /** Number of requests so far. */
    reads: () => reads,
    publish: (...others: TestKey[]) => {
      published = others;
    },
    /** Changes its responses from now on. */
    respondWith(listener: RequestListener = publish) {
      result = listener;
    },
    start,
    async stop() {
      if (server === undefined) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      server = undefined;
      await closed;
    },
  };
}

export type KeyServer = Awaited<ReturnType<typeof startKeyServer>>;
