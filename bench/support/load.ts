/** The result of a closed loop of clients, each of which sends its next call after the response to the previous one. */
export interface Load {
  /** Calls per second. */
  rate: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
  max: number;
  failures: number;
}

/**
 * @param clients number of concurrent clients
 * @param seconds duration; calls that are running at the end are awaited and counted
 * @param call one call of one client; false or an error counts as a failure
 */
export async function runLoad(
  clients: number,
  seconds: number,
  call: (client: number) => Promise<boolean>,
): Promise<Load> {
  const times: number[] = [];
  let failures = 0;
  const startedAt = performance.now();
  const end = startedAt + seconds * 1000;
  const client = async (number: number) => {
    while (performance.now() < end) {
      const before = performance.now();
      if (!(await call(number).catch(() => false))) failures += 1;
      times.push(performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
  const elapsed = (performance.now() - startedAt) / 1000;
  times.sort((a, b) => a - b);
  return {
    rate: times.length / elapsed,
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    max: times.at(-1) ?? 0,
    failures,
  };
}

/** @param sorted ascending, not empty */
export const percentile = (sorted: number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

/** The median run by rate. */
export function medianOf<Run extends { rate: number }>(runs: Run[]): Run {
  const sorted = runs.toSorted((a, b) => a.rate - b.rate);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new Error('no runs');
  return middle;
}
