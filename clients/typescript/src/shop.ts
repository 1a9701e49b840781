import { ordersMethods, productsMethods, sessionMethods, usersMethods } from './api.methods.ts';
import { createCalls } from './calls.ts';
import { fileMethods } from './files.ts';
import type { RetryOptions } from './retries.ts';
import { createSessionTokens } from './session.tokens.ts';
import { signingMethods } from './session.ts';
import { memoryTokens, type TokenStore } from './tokens.ts';

/** One address behind a gateway, `''` for that of the page; or one for each service, as under `npm start`. */
type Addresses = { baseUrl: string } | { userUrl: string; productUrl: string; orderUrl: string };

export type ShopOptions = Addresses & {
  /** Where tokens are kept: in memory by default. */
  tokens?: TokenStore;
  /** Of reads, quotes and orders, when the shop is busy or does not respond. */
  retry?: RetryOptions;
  /** Milliseconds for each request, 15,000 by default; imports and exports have no limit. */
  timeoutMs?: number;
  /** Called when the session is found to be over: expired, or ended from elsewhere. Not called by `logout`. */
  onSessionEnd?: () => void;
  fetch?: typeof fetch;
};

/** A client of the shop. Failures are a `ShopError`; an aborted call rejects with the reason of its signal. */
export function createShop(options: ShopOptions) {
  const { retry = {}, timeoutMs = 15_000, onSessionEnd, tokens: store = memoryTokens() } = options;
  const send = options.fetch ?? ((...request: Parameters<typeof fetch>) => globalThis.fetch(...request));
  const addressOf = addressesOf(options);
  const settings = { addressOf, fetch: send, retry, timeoutMs };
  const calls = createCalls(settings, () => tokens);
  // The shop accepts a second use of a refresh token for ten seconds. Later it would revoke the session.
  const patient = createCalls(
    { ...settings, retry: { ...retry, totalMs: Math.min(retry.totalMs ?? 8_000, 8_000) } },
    () => tokens,
  );
  const tokens = createSessionTokens({
    store,
    lock: `shop.tokens ${addressOf('/api/users')}`,
    refresh: sessionMethods(patient).refresh,
    onSessionEnd,
  });
  const session = sessionMethods(calls);
  return {
    session: { ...session, ...signingMethods(session, tokens) },
    users: usersMethods(calls),
    products: { ...productsMethods(calls), ...fileMethods(calls) },
    orders: ordersMethods(calls),
  };
}

export type Shop = ReturnType<typeof createShop>;

function addressesOf(options: Addresses): (path: string) => string {
  const plain = (url: string) => url.replace(/\/+$/, '');
  if ('baseUrl' in options) return () => plain(options.baseUrl);
  const { userUrl, productUrl, orderUrl } = options;
  return (path) =>
    plain(
      path.startsWith('/api/products') ? productUrl : path.startsWith('/api/orders') ? orderUrl : userUrl,
    );
}
