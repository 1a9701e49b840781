import { explained, patiently } from '../../clients/import/calls.ts';
import { createShop, type Shop, ShopError } from '../../clients/typescript/src/index.ts';

/** Milliseconds: an order that takes more than its time on a busy machine is asked for again. */
const TIMEOUT_MS = 60_000;

/** Published credentials, for shops on a developer's machine only. */
export const DEMO_USERS = {
  buyer: demoUser('demo-buyer'),
  seller: demoUser('demo-seller'),
  admin: demoUser('demo-admin'),
};

function demoUser(username: string) {
  return { username, email: `${username}@example.com`, password: `${username}-password` };
}

export interface Addresses {
  userUrl: string;
  productUrl: string;
  orderUrl: string;
}

export interface SignedIn {
  id: number;
  role: string;
  shop: Shop;
}

/** Signs a user in, or registers an unknown one. In this order, because only a few registrations a minute are allowed. */
export async function signIn(urls: Addresses, account: (typeof DEMO_USERS)['buyer']): Promise<SignedIn> {
  const { username, password } = account;
  const shop = createShop({ ...urls, retry: { tries: 1 }, timeoutMs: TIMEOUT_MS });
  const what = `${username} cannot sign in with the demo password`;
  const login = () =>
    shop.session.login({ username, password }).catch((error: unknown) => {
      if (error instanceof ShopError && error.status === 401) return shop.session.register(account);
      throw error;
    });
  const { id, role } = await request(what, login);
  return { id, role, shop };
}

/** A call that may be repeated. */
export const request = <T>(what: string, call: () => Promise<T>) =>
  explained(what, patiently(call, [429, 503]));
