import type { ReadChanges } from '@shop/service-kit/accounts/account-changes';
import { createDeletions } from '@shop/service-kit/accounts/deletions';
import { inBatches } from '@shop/service-kit/jobs/in-batches';
import type { Task } from '@shop/service-kit/jobs/job-runner';
import type { PeriodicTask } from '@shop/service-kit/jobs/start-jobs';
import type { Query } from '@shop/service-kit/postgres/query';
import type { UserCache } from '@shop/service-kit/redis/user-cache';
import { z } from 'zod';

/** Milliseconds: personal data is gone within 10 s of the deletion (the HTTP contract). */
const READ_INTERVAL = 2000;

const payload = z.object({ user_id: z.int() });

/** Erases name, address, phone and note of a deleted user from the orders that have ended; the others follow at their end. */
export function erasureTasks(query: Query, cache: Pick<UserCache, 'whileChanging'>): Record<string, Task> {
  return {
    async erase_user(input, signal) {
      const { user_id: userId } = payload.parse(input);
      let last = 0;
      const eraseSome = async (size: number): Promise<number> => {
        // All are locked, so that one that ends at this moment is seen here or sees the deletion itself.
        const rows = await query<{ id: number }[]>`
          WITH mine AS (
            SELECT id, status, placement FROM orders
             WHERE user_id = ${userId}::int AND (shipping_address IS NOT NULL OR note IS NOT NULL) AND id > ${last}::int
             ORDER BY id LIMIT ${size}::int FOR UPDATE
          ), erased AS (
            UPDATE orders o SET shipping_address = NULL, note = NULL FROM mine
             WHERE o.id = mine.id AND (mine.status IN ('delivered', 'cancelled') OR mine.placement = 'REJECTED')
            RETURNING o.id
          ), responses AS MATERIALIZED (SELECT erase_stored_response(id)::text FROM erased)
          SELECT id, (SELECT count(*) FROM responses)::int AS responses FROM mine ORDER BY id`;
        last = rows.at(-1)?.id ?? last;
        return rows.length;
      };
      const eraseSeen = (size: number) => cache.whileChanging([userId], () => eraseSome(size));
      await inBatches(eraseSeen, { signal, size: 500, budget: Number.POSITIVE_INFINITY });
      signal.throwIfAborted();
    },
  };
}

export function erasurePeriodic(readChanges: ReadChanges, query: Query): Record<string, PeriodicTask> {
  const deletions = createDeletions({ readChanges, query });
  return { read_deletions: { every: READ_INTERVAL, run: deletions.readNew } };
}
