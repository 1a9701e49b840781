interface BatchOptions {
  /** Ends the work between two batches. */
  signal: AbortSignal;
  /** Rows of a batch: so few that nobody waits for their locks. */
  size?: number;
  /** Milliseconds after which no further batch begins; the rest is left to the next turn. */
  budget?: number;
}

/**
 * Calls `work` until it finds less than a whole batch.
 * @param work does something with at most `size` rows, and returns with how many
 * @returns how many in all
 */
export async function inBatches(
  work: (size: number) => Promise<number>,
  { signal, size = 1000, budget = 20_000 }: BatchOptions,
): Promise<number> {
  const end = performance.now() + budget;
  let all = 0;
  let last = size;
  while (last === size && !signal.aborted && performance.now() < end) {
    last = await work(size);
    all += last;
  }
  return all;
}
