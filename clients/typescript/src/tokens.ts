import type { Tokens } from './api.types.ts';

export interface StoredTokens {
  access_token: string;
  refresh_token: string;
  /** Milliseconds since 1970, by this machine's clock. */
  expires_at: number;
}

/** Where the tokens of the signed-in user are. Tabs that share a store share a session. */
export interface TokenStore {
  get(): StoredTokens | undefined | Promise<StoredTokens | undefined>;
  /** undefined: the user has signed out. */
  set(tokens: StoredTokens | undefined): void | Promise<void>;
}

export const toStored = ({ access_token, refresh_token, expires_in }: Tokens): StoredTokens => ({
  access_token,
  refresh_token,
  expires_at: Date.now() + expires_in * 1000,
});

/** The default: a reload of the page forgets the session. */
export function memoryTokens(tokens?: StoredTokens): TokenStore {
  let current = tokens;
  return {
    get: () => current,
    set: (next) => {
      current = next;
    },
  };
}

interface Storage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/**
 * Survives a reload and is shared by all tabs. The risk: every script that runs on the page can read the tokens, so one
 * injected script (XSS) takes the session with it, for as long as the refresh token lives. Use it only with a strict
 * Content-Security-Policy and without third-party scripts on the page.
 * @throws what the browser throws where it blocks storage
 */
export function localStorageTokens(key = 'shop.tokens'): TokenStore {
  const { localStorage } = globalThis as unknown as { localStorage: Storage };
  return {
    get() {
      try {
        return (JSON.parse(localStorage.getItem(key) ?? 'null') as StoredTokens | null) ?? undefined;
      } catch {
        return undefined;
      }
    },
    set: (tokens) =>
      tokens === undefined ? localStorage.removeItem(key) : localStorage.setItem(key, JSON.stringify(tokens)),
  };
}
