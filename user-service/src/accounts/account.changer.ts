import type { Accounts } from '@shop/service-kit/accounts/accounts';
import type { VoidTokens } from '@shop/service-kit/accounts/known-changes';
import type { Query, Transaction } from '@shop/service-kit/postgres/query';
import type { UserCache } from '@shop/service-kit/redis/user-cache';
import type { SecurityEvent } from '../audit/audit.repository.ts';
import { recordEvents } from '../audit/audit.steps.ts';

/** What a change is made of. All of it is done, or nothing. */
export interface Change {
  /** Statements of the change's transaction. */
  query: Query;
  /** Adds an event to the audit trail. */
  record(event: SecurityEvent): void;
  /** This process refuses these tokens once the change is committed; triggers report them to all others. */
  voidTokens(tokens: VoidTokens): void;
}

/**
 * Changes accounts: in one transaction with its audit events, followed by what must happen after the commit.
 * @param seenBy users who see the change in their own account, which may be cached
 */
export type ChangeAccounts = <T>(
  seenBy: readonly number[],
  work: (change: Change) => Promise<T>,
) => Promise<T>;

interface AccountChangerOptions {
  transaction: Transaction;
  cache: Pick<UserCache, 'whileChanging'>;
  accounts: Pick<Accounts, 'voidTokens'>;
}

export function createAccountChanger({
  transaction,
  cache,
  accounts,
}: AccountChangerOptions): ChangeAccounts {
  return async (seenBy, work) => {
    const voided: VoidTokens[] = [];
    const commit = () =>
      transaction(async (query) => {
        const events: SecurityEvent[] = [];
        const result = await work({
          query,
          record: (event) => void events.push(event),
          voidTokens: (tokens) => void voided.push(tokens),
        });
        await recordEvents(query, events);
        return result;
      });
    const result = await (seenBy.length === 0 ? commit() : cache.whileChanging(seenBy, commit));
    accounts.voidTokens(voided);
    return result;
  };
}
