import { afterEach, describe, expect, test } from '@jest/globals';
import { localStorageTokens } from '../src/index.ts';

const TOKENS = { access_token: 'a', refresh_token: 'r', expires_at: 1 };
const globals = globalThis as { localStorage?: unknown };
const original = Object.getOwnPropertyDescriptor(globals, 'localStorage');
afterEach(() => {
  if (original === undefined) delete globals.localStorage;
  else Object.defineProperty(globals, 'localStorage', original);
});

function withStorage(get: () => unknown): void {
  Object.defineProperty(globals, 'localStorage', { get, configurable: true });
}

function storageWith(text: string | null) {
  let current = text;
  return {
    getItem: () => current,
    setItem(_key: string, next: string) {
      current = next;
    },
    removeItem() {
      current = null;
    },
  };
}

describe('localStorageTokens', () => {
  test('are shared by all that use the storage', async () => {
    const storage = storageWith(null);
    withStorage(() => storage);
    const [one, other] = [localStorageTokens(), localStorageTokens()];
    await one.set(TOKENS);
    expect(await other.get()).toEqual(TOKENS);
    await other.set(undefined);
    expect(await one.get()).toBeUndefined();
  });

  test.each(['null', '', '{', null])('are none where %j is stored', async (text) => {
    withStorage(() => storageWith(text));
    expect(await localStorageTokens().get()).toBeUndefined();
  });
});
