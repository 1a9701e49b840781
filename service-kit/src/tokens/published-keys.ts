import { createPublicKey } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AxiosInstance } from 'axios';
import type { Logger } from 'pino';
import { z } from 'zod';
import { Unavailable } from '../errors/http-errors.ts';
import { createHttpClient } from '../http/http-client.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { fixedKeys, type TokenHeader, type TokenKey, type TokenKeys } from './token-keys.ts';

/** Time limit of one attempt in milliseconds. Together with `PAUSE` it stays within the 2 s of a request. */
const TIMEOUT = 1000;
/** Milliseconds between the starts of two attempts, however many tokens name unknown keys. */
const PAUSE = 500;
/** Milliseconds after which the keys are read again; keys that are no longer published are dropped then. */
const INTERVAL = 300_000;
/** Milliseconds after which a failed read is repeated. */
const RETRY = 2000;
const MAX_RESPONSE = 65_536;
const RETRY_AFTER = 2;

/** A P-256 key (RFC 7517). The list may contain keys of other types, which are ignored. */
const jwk = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  kid: z.string().min(1),
  x: z.string(),
  y: z.string(),
});
const jwks = z.object({ keys: z.array(z.unknown()).max(100) });

interface PublishedKeysOptions {
  /** `JWKS_URL` */
  url: string;
  logger: Logger;
  metrics: Pick<Metrics, 'outboundCalls'>;
  /** Milliseconds. */
  interval?: number;
}

/**
 * The public keys of the signing service: this process can verify tokens, but not sign them. They are read now, retried
 * until that succeeds, then read periodically, and whenever a token names an unknown key.
 */
export function openPublishedKeys({ url, logger, metrics, interval = INTERVAL }: PublishedKeysOptions) {
  const closing = new AbortController();
  const http = createHttpClient({ target: 'user-service', url, maxResponse: MAX_RESPONSE, metrics });
  let known: TokenKeys | undefined;
  let startedAt = Number.NEGATIVE_INFINITY;
  let attempt: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  const read = async () => {
    const wait = startedAt + PAUSE - performance.now();
    if (wait > 0) await sleep(wait, undefined, { signal: closing.signal, ref: false });
    startedAt = performance.now();
    known = fixedKeys(await fetchKeys(http, closing.signal));
  };
  /** The known keys stay valid if it fails. Concurrent callers share one attempt. */
  const renew = (): Promise<void> => {
    attempt ??= read()
      .catch((error: Error) => {
        const unavailable = new Unavailable('The keys of access tokens cannot be read', RETRY_AFTER);
        throw Object.assign(unavailable, { cause: error });
      })
      .finally(() => {
        attempt = undefined;
      });
    return attempt;
  };
  const keepRenewing = async () => {
    const isRead = await renew().then(
      () => true,
      (error: Error) => {
        if (!closing.signal.aborted)
          logger.warn({ reason: (error.cause as Error).message }, 'keys of access tokens not read');
        return false;
      },
    );
    if (closing.signal.aborted) return;
    timer = setTimeout(keepRenewing, isRead ? interval : RETRY).unref();
  };

  void keepRenewing();
  return {
    find: (header: TokenHeader) => known?.find(header),
    awaitKey(header: TokenHeader) {
      const names = header.alg === 'ES256' && typeof header.kid === 'string';
      return names && known?.find(header) === undefined ? renew() : undefined;
    },
    checks: {
      async signing_keys() {
        if (known === undefined) throw new Error('no key of access tokens is known');
      },
    },
    close() {
      closing.abort();
      clearTimeout(timer);
    },
  };
}

async function fetchKeys(http: AxiosInstance, closing: AbortSignal): Promise<TokenKey[]> {
  const { data, status } = await http.get<unknown>('', {
    signal: AbortSignal.any([closing, AbortSignal.timeout(TIMEOUT)]),
    headers: { 'Cache-Control': 'no-cache' },
  });
  if (status !== 200) throw new Error(`user-service responded with ${status}`);
  const keys = jwks.parse(data).keys.flatMap((key) => {
    const parsed = jwk.safeParse(key);
    return parsed.success ? [toTokenKey(parsed.data)] : [];
  });
  if (keys.length === 0) throw new Error('no key is published there');
  return keys;
}

function toTokenKey({ kid, ...key }: z.output<typeof jwk>): TokenKey {
  return { algorithm: 'ES256', key: createPublicKey({ key, format: 'jwk' }), kid };
}
