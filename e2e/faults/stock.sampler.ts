import type { Pool } from 'pg';
import { sleep } from '../support/process.ts';
import { unbalanced } from './invariant.queries.ts';

const PAUSE = 25;

/** Checks I1 and I2 repeatedly during a round. */
export function startStockSampler(db: Pool, productIds: number[], since: Date) {
  const violations = new Set<string>();
  let samples = 0;
  let over = false;
  const sampling = (async () => {
    while (!over) {
      const found = await unbalanced(db, productIds, since).catch(() => undefined);
      if (found !== undefined) samples += 1;
      for (const violation of found ?? []) violations.add(violation);
      await sleep(PAUSE);
    }
  })();
  return {
    async stop() {
      over = true;
      await sampling;
      return { samples, violations: [...violations] };
    },
  };
}
