import { MAX_ACCESS_TOKEN_LIFETIME, type VerifiedUser } from '../tokens/access-token.ts';
import type { AccountChange } from './account-changes.ts';

/** Access tokens of one session or of all sessions of a user: those of generations under `below`, or all without it. */
export type VoidTokens = ({ sessionId: string } | { userId: number }) & { below?: number | undefined };

interface Bound {
  below: number;
  /** Seconds since 1970. */
  at: number;
}

/** Remembers which access tokens are revoked, as long as one of them could be unexpired. Times are those of the changes. */
export function createKnownChanges() {
  const sessions = new Map<string, Bound>();
  const users = new Map<number, Bound>();
  const note = (tokens: VoidTokens, at: number): void => {
    const bound = { below: tokens.below ?? Number.POSITIVE_INFINITY, at };
    if ('userId' in tokens) raise(users, tokens.userId, bound);
    else raise(sessions, tokens.sessionId, bound);
  };
  return {
    note,
    noteChange: (change: AccountChange): void => note(tokensOf(change), change.at),

    isVoid({ sessionId, generation, id }: Pick<VerifiedUser, 'sessionId' | 'generation' | 'id'>): boolean {
      return generation < (sessions.get(sessionId)?.below ?? 0) || generation < (users.get(id)?.below ?? 0);
    },

    /** @param now seconds since 1970 */
    forgetExpired(now: number): void {
      forgetBefore(sessions, now - MAX_ACCESS_TOKEN_LIFETIME);
      forgetBefore(users, now - MAX_ACCESS_TOKEN_LIFETIME);
    },

    size: () => sessions.size + users.size,
  };
}

function tokensOf(change: AccountChange): VoidTokens {
  if (change.type === 'user_deleted') return { userId: change.user_id };
  const { session_id: sessionId, user_id: userId, void_below: below } = change;
  return { ...(userId === undefined ? { sessionId } : { userId }), below: below ?? undefined };
}

/** Keeps the map in the order of the changes, which is nearly the order of their times. Never lowers a bound. */
function raise<Key>(bounds: Map<Key, Bound>, key: Key, { below, at }: Bound): void {
  const known = bounds.get(key);
  bounds.delete(key);
  bounds.set(key, { below: Math.max(below, known?.below ?? 0), at: Math.max(at, known?.at ?? 0) });
}

function forgetBefore<Key>(bounds: Map<Key, Bound>, oldest: number): void {
  for (const [key, { at }] of bounds) {
    if (at >= oldest) return;
    bounds.delete(key);
  }
}
