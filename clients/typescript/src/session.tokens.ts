import type { Tokens } from './api.types.ts';
import { ShopError } from './errors.ts';
import { sleep } from './retries.ts';
import { type StoredTokens, type TokenStore, toStored } from './tokens.ts';

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
  query(): Promise<{ held?: { name?: string }[] }>;
}

/** How long the shop forgives a second use, and for how long a change of the store may be on its way to another tab. */
const FORGIVEN_MS = 10_000;
const LATE_MS = 2_000;
const PAUSE_MS = 20;

/** Resolves when it is over; does not keep a process of Node alive. */
const forgiven = () =>
  new Promise<void>((resolve) => {
    (setTimeout(resolve, FORGIVEN_MS) as { unref?: () => void }).unref?.();
  });

/** The tokens of the session; a refresh token is spent once, however many calls and tabs need a new pair. */
export function createSessionTokens({ store, lock, refresh, onSessionEnd }: Options) {
  let running: Promise<StoredTokens | undefined> | undefined;

  const isThere = async ({ refresh_token }: StoredTokens) =>
    (await store.get())?.refresh_token === refresh_token;

  /** Locks are exact, while localStorage shows a change to other tabs later: a lock says that a pair is spent. */
  async function isReplacedElsewhere(tokens: StoredTokens, mark: string, locks?: Locks): Promise<boolean> {
    const { held = [] } = (await locks?.query()) ?? {};
    if (!held.some(({ name }) => name === mark)) return false;
    for (const end = Date.now() + LATE_MS; Date.now() < end; await sleep(PAUSE_MS))
      if (!(await isThere(tokens))) return true;
    return false;
  }

  /** @param spent the access token that is no longer good */
  async function exchange(spent: string | undefined, locks?: Locks): Promise<StoredTokens | undefined> {
    const tokens = await store.get();
    // Another call or tab was faster, or the user has signed out.
    if (tokens === undefined || tokens.access_token !== spent) return tokens;
    const mark = `${lock} spent ${tokens.expires_at}`;
    if (await isReplacedElsewhere(tokens, mark, locks)) return store.get();
    const fresh = await refresh(tokens.refresh_token).then(toStored, (error: unknown) => {
      if (!(error instanceof ShopError) || error.status !== 401) throw error;
    });
    if (!(await isThere(tokens))) return store.get();
    void locks?.request(mark, forgiven);
    await store.set(fresh ?? undefined);
    if (!fresh) onSessionEnd?.();
    return fresh ?? undefined;
  }

  /** In browsers one tab at a time; without Web Locks the shop forgives a token that two tabs spend at once. */
  function renew(spent: string | undefined): Promise<StoredTokens | undefined> {
    const { locks } = (globalThis as unknown as { navigator?: { locks?: Locks } }).navigator ?? {};
    running ??= (
      locks === undefined ? exchange(spent) : locks.request(lock, () => exchange(spent, locks))
    ).finally(() => {
      running = undefined;
    });
    return running;
  }

  return {
    renew,
    stored: async () => store.get(),
    /** The current access token if it is valid for `leftMs` more by this machine's clock, or a refreshed one. */
    async current(leftMs: number): Promise<string | undefined> {
      const tokens = await store.get();
      if (tokens === undefined || Date.now() + leftMs < tokens.expires_at) return tokens?.access_token;
      return (await renew(tokens.access_token))?.access_token;
    },
    save: async (tokens: Tokens | undefined) => store.set(tokens && toStored(tokens)),
  };
}

export type SessionTokens = ReturnType<typeof createSessionTokens>;
