import type { AccountChange, ReadChanges } from '../src/accounts/account-changes.ts';

const PAGE = 1000;

/** Stands in for user-service's feed of account changes, numbered from 1. */
export function createTestFeed() {
  const all: AccountChange[] = [];
  let pagesLeft = Number.POSITIVE_INFINITY;
  const readChanges: ReadChanges = async (after = '0') => {
    pagesLeft -= 1;
    if (pagesLeft < 0) throw new Error('user-service cannot be reached');
    const changes = all.slice(Number(after), Number(after) + PAGE);
    const next = Number(after) + changes.length;
    return { changes, next: String(next), more: next < all.length, now: 1 };
  };
  return {
    readChanges,
    deleteUser: (id: number) => void all.push({ type: 'user_deleted', user_id: id, at: 1 }),
    endSessions(count: number): void {
      for (let i = 0; i < count; i += 1)
        all.push({ type: 'session', session_id: crypto.randomUUID(), void_below: null, at: 1 });
    },
    /** After this many pages the feed is unavailable. */
    failAfter: (pages: number) => {
      pagesLeft = pages;
    },
    length: () => all.length,
  };
}
