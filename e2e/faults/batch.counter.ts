import type { ServiceProcess } from '../support/stack.ts';

const BATCHES = /^placement_batch_size_(count|bucket)\{([^}]*)\} (\d+)$/gm;

/** Counts the large batches of placement steps, from the metrics of the replicas. */
export function createBatchCounter(replicas: readonly ServiceProcess[]) {
  /** By replica; a killed process starts again at 0. */
  const seen = new Map<ServiceProcess, number>();
  return {
    /** Batches of more than ten orders since the last call. Counts of a killed process are lost. */
    async countLargeBatches(): Promise<number> {
      let found = 0;
      for (const replica of replicas) {
        const now = largeIn(await (await fetch(`${replica.url}/metrics`)).text());
        const before = seen.get(replica) ?? 0;
        found += now < before ? now : now - before;
        seen.set(replica, now);
      }
      return found;
    },
  };
}

function largeIn(metrics: string): number {
  let all = 0;
  let small = 0;
  for (const [, kind, labels = '', value] of metrics.matchAll(BATCHES)) {
    if (kind === 'count') all += Number(value);
    else if (labels.includes('le="10"')) small += Number(value);
  }
  return all - small;
}
