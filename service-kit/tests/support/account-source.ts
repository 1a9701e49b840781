import type { AccountChange, ReadChanges } from '../../src/accounts/account-changes.ts';

export const NOW = 2_000_000_000;
const PAGE = 3;
export const ended = (session: string, at = NOW): AccountChange => ({
  type: 'session',
  session_id: session,
  void_below: null,
  at,
});
export const raised = (session: string, below: number): AccountChange =>
  ({ ...ended(session), void_below: below }) as AccountChange;
export const allEnded = (user: number, below: number): AccountChange =>
  ({ ...raised('00000000-0000-0000-0000-000000000000', below), user_id: user }) as AccountChange;
export const deleted = (user: number): AccountChange => ({ type: 'user_deleted', user_id: user, at: NOW });

/** Stands in for the feed of user-service, with its own clock; it can be unavailable. */
export function createSource(...changes: AccountChange[]) {
  const source = { changes, now: NOW, isDown: false, reads: 0 };
  const readChanges: ReadChanges = async (after = '0') => {
    source.reads += 1;
    if (source.isDown) throw new Error('down');
    const begin = Number(after);
    const page = source.changes.slice(begin, begin + PAGE);
    return {
      changes: page,
      next: String(begin + page.length),
      more: source.changes.length > begin + PAGE,
      now: source.now,
    };
  };
  return { ...source, source, readChanges };
}

export const tokenOf = (sessionId: string, generation = 1, id = 7) => ({ sessionId, generation, id });
