import { ShopError } from './errors.ts';
import { type StoredTokens, type TokenStore, toStored } from './tokens.ts';
import type { Tokens } from './types.ts';

interface Options {
  store: TokenStore;
  /** The same for all tabs of one shop. */
  lock: string;
  refresh: (refreshToken: string) => Promise<Tokens>;
  /** Called when the session is found to be over. */
  onSessionEnd?: (() => void) | undefined;
}

interface Locks {
  request<T>(name: string, run: () => Promise<T>): Promise<T>;
}

/** The tokens of the session; a refresh token is spent once, however many calls and tabs need a new pair. */
export function createSessionTokens({ store, lock, refresh, onSessionEnd }: Options) {
  let running: Promise<StoredTokens | undefined> | undefined;

  /** @param spent the access token that is no longer good */
  async function exchange(spent: string | undefined): Promise<StoredTokens | undefined> {
    const tokens = await store.get();
    // Another call or tab was faster, or nobody is signed in any more.
    if (tokens === undefined || tokens.access_token !== spent) return tokens;
    const isStillThere = async () => (await store.get())?.refresh_token === tokens.refresh_token;
    try {
      const fresh = toStored(await refresh(tokens.refresh_token));
      if (!(await isStillThere())) return store.get();
      await store.set(fresh);
      return fresh;
    } catch (error) {
      if (!(error instanceof ShopError) || error.status !== 401) throw error;
      if (!(await isStillThere())) return store.get();
      await store.set(undefined);
      onSessionEnd?.();
      return undefined;
    }
  }

  /** In browsers one tab at a time; without Web Locks the shop forgives a token that two tabs spend at once. */
  function renew(spent: string | undefined): Promise<StoredTokens | undefined> {
    const { navigator } = globalThis as unknown as { navigator?: { locks?: Locks } };
    const locks = navigator?.locks;
    running ??= (locks === undefined ? exchange(spent) : locks.request(lock, () => exchange(spent))).finally(
      () => {
        running = undefined;
      },
    );
    return running;
  }

  return {
    renew,
    stored: async () => store.get(),
    /** Good for `leftMs` more by this machine's clock, or what the shop gave for it just now. */
    async current(leftMs: number): Promise<string | undefined> {
      const tokens = await store.get();
      if (tokens === undefined || Date.now() + leftMs < tokens.expires_at) return tokens?.access_token;
      return (await renew(tokens.access_token))?.access_token;
    },
    save: async (tokens: Tokens | undefined) => store.set(tokens && toStored(tokens)),
  };
}

export type SessionTokens = ReturnType<typeof createSessionTokens>;
