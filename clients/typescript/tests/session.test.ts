import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { until } from '../../../e2e/support/process.ts';
import { type Stack, startStack } from '../../../e2e/support/stack.ts';
import { createShop, memoryTokens, type ShopError, type TokenStore } from '../src/index.ts';
import { failureOf, PASSWORD, patientFetch, recording, signedIn, urlsOf } from './support/clients.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

const REFRESH = ['POST', '/api/users/refresh'] as const;

/** A store that takes its tokens for good for an hour more than they are, as on a machine whose clock is late. */
function late(store = memoryTokens()): TokenStore {
  return {
    get: () => store.get(),
    set: (tokens) => store.set(tokens && { ...tokens, expires_at: tokens.expires_at + 3_600_000 }),
  };
}

/** Makes the access token one that no service takes. */
async function spoil(store: TokenStore) {
  const tokens = await store.get();
  if (tokens === undefined) throw new Error('Nobody is signed in');
  await store.set({ ...tokens, access_token: 'expired' });
}

describe('a token that expires in the middle', () => {
  test('is exchanged once for all calls that find out', async () => {
    await stack.user.restart({ ACCESS_TOKEN_LIFETIME: '1' });
    const wire = recording();
    const store = late();
    const { shop, user } = await signedIn(stack, { tokens: store, fetch: wire.fetch });
    await stack.user.restart({ ACCESS_TOKEN_LIFETIME: '3600' });
    const { access_token = '' } = (await store.get()) ?? {};
    const headers = { Authorization: `Bearer ${access_token}` };
    await until('the token has expired', async () => {
      return (await fetch(`${stack.order.url}/api/orders`, { headers })).status === 401;
    });
    const calls = [1, 2, 3, 4].flatMap((n) => [
      shop.session.me(),
      shop.orders.stats(),
      shop.products.create({ name: `Cup ${n}`, price: 1 }),
    ]);
    expect(await Promise.all(calls)).toHaveLength(12);
    expect(wire.of(...REFRESH)).toHaveLength(1);
    expect(await shop.session.me()).toEqual(user);
  });

  test('is exchanged before it is sent where the clock says so', async () => {
    const wire = recording();
    const store = memoryTokens();
    const { shop } = await signedIn(stack, { tokens: store, fetch: wire.fetch });
    const tokens = await store.get();
    await store.set(tokens && { ...tokens, expires_at: Date.now() });
    await Promise.all([shop.session.me(), shop.orders.stats()]);
    expect(wire.of(...REFRESH)).toHaveLength(1);
    expect(wire.sent.map(({ status }) => status)).not.toContain(401);
  });

  test('of an import is exchanged before a file that can be read once is read', async () => {
    const store = memoryTokens();
    const { shop } = await signedIn(stack, { tokens: store });
    const tokens = await store.get();
    await store.set(tokens && { ...tokens, access_token: 'expired', expires_at: Date.now() + 59_000 });
    const file = new Blob(['sku,name,price\nS1,Lamp,1\n']).stream();
    expect(await shop.products.import(file)).toMatchObject({ created: 1, failed: 0 });
    const again = new Blob(['{"sku":"S1","name":"Lamp","price":2}\n'], { type: 'application/x-ndjson' });
    await spoil(store);
    expect(await shop.products.import(again, { dry_run: true })).toMatchObject({ updated: 1 });
    const csv = await (await shop.products.export({ format: 'csv' })).text();
    expect(csv).toContain('S1');
  });

  test('waits for no longer than its caller', async () => {
    const store = memoryTokens();
    const { shop } = await signedIn(stack, { tokens: store });
    await spoil(store);
    const leaving = new AbortController();
    stack.user.pause();
    try {
      const left = failureOf(shop.orders.stats({ signal: leaving.signal }));
      const patient = shop.orders.stats();
      leaving.abort();
      expect(await left).toMatchObject({ name: 'AbortError' });
      stack.user.resume();
      expect(await patient).toMatchObject({ total_orders: 0 });
    } finally {
      stack.user.resume();
    }
  });

  test('stays while the shop cannot be asked for another', async () => {
    const store = memoryTokens();
    const { shop, user } = await signedIn(stack, { tokens: store, retry: { tries: 1 } });
    await spoil(store);
    await stack.user.kill();
    expect(await failureOf(shop.orders.stats())).toMatchObject({ code: 'network' });
    await stack.user.start();
    expect(await shop.session.me()).toEqual(user);
  });
});

describe('two tabs', () => {
  const globals = globalThis as { navigator?: unknown };
  const navigator = Object.getOwnPropertyDescriptor(globals, 'navigator');
  afterEach(() => {
    if (navigator === undefined) delete globals.navigator;
    else Object.defineProperty(globals, 'navigator', navigator);
  });
  const setNavigator = (value: unknown) =>
    Object.defineProperty(globals, 'navigator', { value, configurable: true });

  /** As browsers give them: one holder of a name at a time. */
  function locks() {
    const last = new Map<string, Promise<unknown>>();
    const held = new Set<string>();
    return {
      request(name: string, run: () => Promise<unknown>) {
        const mine = (last.get(name) ?? Promise.resolve()).then(run, run);
        last.set(name, mine);
        held.add(name);
        void mine.finally(() => held.delete(name));
        return mine;
      },
      query: async () => ({ held: [...held].map((name) => ({ name })) }),
    };
  }

  async function twoTabs() {
    const store = memoryTokens();
    const wire = recording();
    const { shop, user } = await signedIn(stack, { tokens: store, fetch: wire.fetch });
    const other = createShop({ ...urlsOf(stack), tokens: store, fetch: wire.fetch });
    await spoil(store);
    return { tabs: [shop, other], wire, user };
  }

  test('exchange the token once, with Web Locks', async () => {
    setNavigator({ locks: locks() });
    const { tabs, wire, user } = await twoTabs();
    expect(await Promise.all(tabs.map((tab) => tab.session.me()))).toEqual([user, user]);
    expect(wire.of(...REFRESH)).toHaveLength(1);
  });

  test('exchange the token once, also where the store of one shows the change later', async () => {
    setNavigator({ locks: locks() });
    const store = memoryTokens();
    const wire = recording();
    const { shop, user } = await signedIn(stack, { tokens: store, fetch: wire.fetch });
    await spoil(store);
    const stale = await store.get();
    let reads = 0;
    // Four reads after the other tab has changed it, as localStorage of another process.
    const late = { ...store, get: async () => (reads++ < 4 ? stale : store.get()) };
    const other = createShop({ ...urlsOf(stack), tokens: late, fetch: wire.fetch });
    expect(await shop.session.me()).toEqual(user);
    expect(await other.session.me()).toEqual(user);
    expect(wire.of(...REFRESH)).toHaveLength(1);
  });

  test('keep their session without Web Locks', async () => {
    setNavigator(undefined);
    const { tabs, user } = await twoTabs();
    expect(await Promise.all(tabs.map((tab) => tab.session.me()))).toEqual([user, user]);
    expect(await Promise.all(tabs.map((tab) => tab.session.me()))).toEqual([user, user]);
  });
});

describe('a session', () => {
  test('that was ended from elsewhere is reported once, and its tokens are dropped', async () => {
    let ends = 0;
    const { shop, user } = await signedIn(stack, { onSessionEnd: () => ends++ });
    const other = createShop({ ...urlsOf(stack), fetch: patientFetch });
    await other.session.login({ username: user.username, password: PASSWORD });
    await other.session.logoutAll();
    expect(await other.session.isSignedIn()).toBe(false);
    const failures = await Promise.all([1, 2, 3].map(() => failureOf(shop.session.me())));
    for (const failure of failures) expect(failure).toMatchObject({ code: 'unauthenticated', status: 401 });
    expect(ends).toBe(1);
    expect(await shop.session.isSignedIn()).toBe(false);
    expect(await shop.session.refresh()).toBe(false);
  });

  test('ends here even where the shop cannot be told', async () => {
    const { shop } = await signedIn(stack, { retry: { tries: 1 } });
    await stack.user.kill();
    expect(await failureOf(shop.session.logout())).toMatchObject({ code: 'network' });
    expect(await shop.session.isSignedIn()).toBe(false);
    await stack.user.start();
  });

  test('that is over already can be left', async () => {
    const { shop, user } = await signedIn(stack);
    const other = createShop({ ...urlsOf(stack), fetch: patientFetch });
    await other.session.login({ username: user.username, password: PASSWORD });
    await other.session.logoutAll();
    await shop.session.logout();
    await shop.session.logout();
  });

  test('that begins while another is being refreshed stays', async () => {
    const store = memoryTokens();
    const { user } = await signedIn(stack);
    let login: () => Promise<unknown> = async () => undefined;
    const wire = recording(async (response, { path }) => {
      if (path === REFRESH[1]) await login();
      return response;
    });
    const { shop } = await signedIn(stack, { tokens: store, fetch: wire.fetch });
    login = () => shop.session.login({ username: user.username, password: PASSWORD });
    await spoil(store);
    await shop.orders.stats();
    expect(await shop.session.me()).toEqual(user);
  });

  test('goes on under a new password', async () => {
    const { shop, user } = await signedIn(stack);
    await shop.session.changePassword({ current_password: PASSWORD, new_password: 'another pass 1' });
    expect(await shop.session.me()).toMatchObject({ id: user.id });
    expect((await shop.session.list()).map(({ current }) => current)).toEqual([true]);
    const wrong = { current_password: PASSWORD, new_password: 'another pass 2' };
    const error = (await failureOf(shop.session.changePassword(wrong))) as ShopError;
    expect(error.code).toBe('wrong_password');
    expect(await shop.session.refresh()).toBe(true);
  });
});
