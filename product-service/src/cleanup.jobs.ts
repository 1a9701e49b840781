import { inBatches } from '@shop/service-kit/jobs/in-batches';
import type { PeriodicTask } from '@shop/service-kit/jobs/start-jobs';
import type { Query } from '@shop/service-kit/postgres/query';
import { createCleanupRepository } from './cleanup.repository.ts';

/** Milliseconds. */
const INTERVAL = 60_000;
/** Words that one run looks at. */
const WORDS = 500;

/** The periodic tasks that remove rows no longer needed. */
export function cleanupTasks(query: Query): Record<string, PeriodicTask> {
  const { removeClosedReservations, removeEmptyCategories, removeUnusedWords } =
    createCleanupRepository(query);
  let lastWord = '';
  return {
    remove_closed_reservations: {
      every: INTERVAL,
      run: (signal) => inBatches(removeClosedReservations, { signal }),
    },
    remove_empty_categories: {
      every: INTERVAL,
      run: (signal) => inBatches(removeEmptyCategories, { signal }),
    },
    // A few at a time, in a round that begins again after the last word.
    remove_unused_words: {
      every: INTERVAL,
      async run() {
        lastWord = (await removeUnusedWords(lastWord, WORDS)) ?? '';
      },
    },
  };
}
