import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { createShop, formatMoney, localStorageTokens } from '../src/index.ts';

const DOCUMENT = new URL('../../../docs/openapi.json', import.meta.url);
const README = new URL('../README.md', import.meta.url);

interface Document {
  paths: Record<string, Record<string, { operationId?: string; security?: unknown[] }>>;
}

async function operations() {
  const { paths } = JSON.parse(await readFile(DOCUMENT, 'utf8')) as Document;
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, { operationId, security }]) =>
      operationId === undefined ? [] : [{ operationId, method, path, isPublic: security?.length === 0 }],
    ),
  );
}

const LISTS = ['products', 'orders', 'users', 'events', 'movements', 'sessions', 'keys', 'history'];
/** Whatever a method reads of a response. */
const BODY = {
  ...Object.fromEntries(LISTS.map((rows) => [rows, []])),
  next_cursor: null,
  message: '',
  user: {},
  product: {},
  order: {},
  tokens: { access_token: 'access', refresh_token: 'refresh', expires_in: 3600 },
};

/** Calls a method with a stand-in for each argument. @returns what was sent */
async function sentBy(run: (shop: ReturnType<typeof createShop>) => unknown) {
  const sent: { method: string; path: string; hasToken: boolean }[] = [];
  const shop = createShop({
    baseUrl: 'http://shop.example/',
    tokens: { get: () => ({ ...BODY.tokens, expires_at: Number.POSITIVE_INFINITY }), set: () => undefined },
    async fetch(input, init) {
      const path = new URL(String(input)).pathname.replace(/\/7(?=\/|$)/, '/{id}');
      const hasToken = new Headers(init?.headers).has('authorization');
      sent.push({ method: (init?.method ?? '').toLowerCase(), path, hasToken });
      return Response.json(BODY);
    },
  });
  const result = run(shop);
  if (result instanceof Promise) await result;
  else for await (const _ of result as AsyncIterable<unknown>);
  return sent;
}

type Anything = Record<string, Record<string, (...args: unknown[]) => unknown>>;
const groups = createShop({ baseUrl: '' }) as unknown as Anything;
const methods = Object.entries(groups).flatMap(([group, calls]) =>
  Object.keys(calls).map((name) => [group, name] as const),
);
/** Those that send nothing. */
const LOCAL = ['isSignedIn'];
const WITHOUT_SIGNAL = [...LOCAL, 'refresh'];

describe('the methods of the client', () => {
  test('reach every operation of the API, with the token where one is needed', async () => {
    const reached: string[] = [];
    const all = await operations();
    for (const [group, name] of methods.filter(([, name]) => !LOCAL.includes(name))) {
      // An id, and as a body, options or filters an object will do.
      const takesId = /id|number/.test(String(groups[group]?.[name]).split('=>')[0] ?? '');
      const sent = await sentBy((shop) =>
        (shop as unknown as Anything)[group]?.[name]?.(...(takesId ? [7, {}] : [{}])),
      );
      for (const { method, path, hasToken } of sent) {
        const operation = all.find((one) => one.method === method && one.path === path);
        expect({ call: `${group}.${name}`, method, path, isKnown: operation !== undefined }).toMatchObject({
          isKnown: true,
        });
        expect({ call: `${group}.${name}`, hasToken }).toEqual({
          call: `${group}.${name}`,
          hasToken: !operation?.isPublic,
        });
        reached.push(operation?.operationId ?? '');
      }
    }
    expect([...new Set(reached)].toSorted()).toEqual(all.map(({ operationId }) => operationId).toSorted());
  });

  test('take a signal last, and send nothing once it is aborted', async () => {
    const reason = new Error('left');
    for (const [group, name] of methods.filter(([, name]) => !WITHOUT_SIGNAL.includes(name))) {
      let count = 0;
      const shop = createShop({
        baseUrl: 'http://shop.example',
        async fetch() {
          count++;
          return Response.json(BODY);
        },
      }) as unknown as Anything;
      const method = shop[group]?.[name];
      // `import` has defaults for its options, so that its length does not count them.
      const before = Array.from({ length: (method?.length ?? 0) - (name === 'import' ? 0 : 1) }, () => 7);
      const result = method?.(...before, { signal: AbortSignal.abort(reason) });
      const left = result instanceof Promise ? result : (result as AsyncGenerator).next();
      expect([group, name, await left.catch((error: unknown) => error), count]).toEqual([
        group,
        name,
        reason,
        0,
      ]);
    }
  });

  test('are listed in the README', async () => {
    const readme = await readFile(README, 'utf8');
    for (const [group, name] of methods) {
      const row = readme.split('\n').find((line) => line.startsWith(`| \`shop.${group}\``)) ?? '';
      expect({ group, name, isListed: row.includes(`\`${name}\``) }).toEqual({ group, name, isListed: true });
    }
  });
});

test('money is written as the currency and the locale want it', () => {
  expect(formatMoney(999.99, 'USD', 'en')).toBe('$999.99');
  expect(formatMoney(1250, 'JPY', 'en')).toBe('¥1,250');
  expect(formatMoney(7.25, 'KWD', 'en')).toContain('7.250');
});

test('localStorage keeps the tokens as JSON, and forgets what it cannot read', async () => {
  const items = new Map<string, string>();
  const localStorage = {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void items.delete(key),
  };
  Object.defineProperty(globalThis, 'localStorage', { value: localStorage, configurable: true });
  const store = localStorageTokens();
  const tokens = { access_token: 'a', refresh_token: 'r', expires_at: 1 };
  expect(store.get()).toBeUndefined();
  await store.set(tokens);
  expect(localStorageTokens().get()).toEqual(tokens);
  await store.set(undefined);
  expect(items.size).toBe(0);
  items.set('shop.tokens', '{');
  expect(store.get()).toBeUndefined();
});
