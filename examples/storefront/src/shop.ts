import { effect, signal } from '@preact/signals';
import { createShop, localStorageTokens, memoryTokens, ShopError, type User } from '@shop/client';
import { uploadingFetch } from './lib/upload.ts';
import { forgetAll } from './lib/use-resource.ts';

const TOKENS = 'shop.tokens';
// Pages show a failure and a button soon, rather than wait for long.
const RETRY = { tries: 3, totalMs: 4_000 };
const RELOAD_MS = 5_000;

/** Where storage is blocked, one stays signed in until the next reload. */
function tokenStore() {
  try {
    return localStorageTokens(TOKENS);
  } catch {
    return memoryTokens();
  }
}

/** The API at the address of this page: the development server passes it on, and so does the gateway. */
export const shop = createShop({
  baseUrl: '',
  tokens: tokenStore(),
  retry: RETRY,
  fetch: uploadingFetch,
  onSessionEnd: () => {
    user.value = null;
  },
});

/** Who is signed in: null for nobody, undefined while that is not known yet. */
export const user = signal<User | null | undefined>(undefined);
/** Why it is not known. */
export const userFailure = signal<unknown>(undefined);

/** Reads the current user, and retries until the shop responds. */
export async function loadUser(): Promise<void> {
  try {
    user.value = (await shop.session.isSignedIn()) ? await shop.session.me() : null;
    userFailure.value = undefined;
  } catch (error) {
    if (error instanceof ShopError && error.status === 401) user.value = null;
    else {
      userFailure.value = error;
      clearTimeout(nextTry);
      nextTry = setTimeout(() => void loadUser(), RELOAD_MS);
    }
  }
}
let nextTry: ReturnType<typeof setTimeout> | undefined;

export async function signOut(): Promise<void> {
  await shop.session.logout().catch(() => undefined);
  user.value = null;
}

// Signing in or out in another tab, also as another user. Without a key, all of the storage was cleared.
addEventListener('storage', ({ key }) => {
  if (key === TOKENS || key === null) void loadUser();
});

let lastId: number | undefined;
effect(() => {
  const id = user.value?.id;
  if (lastId !== undefined && id !== lastId) forgetAll();
  lastId = id;
});
