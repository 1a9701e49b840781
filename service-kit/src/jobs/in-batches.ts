interface BatchOptions {
  /** Stops the work between two batches. */
  signal: AbortSignal;
  /** Rows per batch: few enough that nothing waits noticeably for their locks. */
  size?: number;
  /** Milliseconds after which no further batch begins; the rest is left to the next run. */
  budget?: number;
}

/**
 * Calls `work` until it processes less than a full batch.
 * @param work processes at most `size` rows and returns their number
 */
export async function inBatches(
  work: (size: number) => Promise<number>,
  { signal, size = 1000, budget = 20_000 }: BatchOptions,
): Promise<void> {
  const end = performance.now() + budget;
  let last = size;
  while (last === size && !signal.aborted && performance.now() < end) last = await work(size);
}
