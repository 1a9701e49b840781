import type { VerifiedUser } from '../tokens/access-token.ts';
import type { AccountChange } from './account-changes.ts';

interface VoidTokens {
  /** Tokens of lower generations are void. */
  below: number;
  at: number;
}

/** Which access tokens are void, for as long as one of them can be within its lifetime. Times are those of the changes. */
export function createKnownChanges(tokenLifetime: number) {
  const sessions = new Map<string, VoidTokens>();
  const deletedUsers = new Map<number, { at: number }>();
  return {
    note(change: AccountChange): void {
      if (change.type === 'user_deleted')
        return void putLast(deletedUsers, change.user_id, { at: change.at });
      const { session_id: id, at } = change;
      const known = sessions.get(id);
      const below = Math.max(change.void_below ?? Number.POSITIVE_INFINITY, known?.below ?? 0);
      putLast(sessions, id, { below, at: Math.max(at, known?.at ?? 0) });
    },

    isVoid({ sessionId, generation, id }: Pick<VerifiedUser, 'sessionId' | 'generation' | 'id'>): boolean {
      return generation < (sessions.get(sessionId)?.below ?? 0) || deletedUsers.has(id);
    },

    /** @param now seconds since 1970 */
    forgetExpired(now: number): void {
      forgetBefore(sessions, now - tokenLifetime);
      forgetBefore(deletedUsers, now - tokenLifetime);
    },

    size: () => sessions.size + deletedUsers.size,
  };
}

/** Keeps a map in the order of the changes, nearly that of their times. */
function putLast<Key, Value>(map: Map<Key, Value>, key: Key, value: Value): void {
  map.delete(key);
  map.set(key, value);
}

function forgetBefore<Key>(map: Map<Key, { at: number }>, oldest: number): void {
  for (const [key, { at }] of map) {
    if (at >= oldest) return;
    map.delete(key);
  }
}
