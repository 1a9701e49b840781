import { inBatches } from '@shop/service-kit/jobs/in-batches';
import type { PeriodicTask } from '@shop/service-kit/jobs/start-jobs';
import type { Query } from '@shop/service-kit/postgres/query';
import { createCleanupRepository } from './cleanup.repository.ts';

/** Milliseconds. */
const INTERVAL = 60_000;
/** Words or categories that one run looks at. */
const LOOKED_AT = 500;

/** The periodic tasks that remove rows no longer needed. */
export function cleanupTasks(query: Query): Record<string, PeriodicTask> {
  const { removeClosedReservations, removeEmptyCategories, removeUnusedCategories, removeUnusedWords } =
    createCleanupRepository(query);
  return {
    remove_closed_reservations: {
      every: INTERVAL,
      run: (signal) => inBatches(removeClosedReservations, { signal }),
    },
    remove_empty_categories: {
      every: INTERVAL,
      run: (signal) => inBatches(removeEmptyCategories, { signal }),
    },
    remove_unused_categories: inRounds(removeUnusedCategories),
    remove_unused_words: inRounds(removeUnusedWords),
  };
}

/**
 * Looks at a few rows in each run, in a round that begins again after the last one.
 * @param step looks at the rows after this key. Returns the last key that it looked at, null after the last of all
 */
function inRounds(step: (after: string, limit: number) => Promise<string | null>): PeriodicTask {
  let last = '';
  return {
    every: INTERVAL,
    async run() {
      last = (await step(last, LOOKED_AT)) ?? '';
    },
  };
}
