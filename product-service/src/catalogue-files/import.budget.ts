import { BodyTooLarge, RequestTimedOut } from '@shop/service-kit/errors/http-errors';
import { TooManyFailures } from './import.errors.ts';

/** The limits of one import, besides the size of its file. */
export interface ImportBudget {
  /** Rows, blank ones included: a compressed file of a few kilobytes may hold millions. */
  rows: number;
  /** Refused rows. */
  failures: number;
  seconds: number;
}

/** How long rows are checked before other requests get a turn, in milliseconds. */
const SLICE = 2;

export function createSpending(budget: ImportBudget) {
  const end = performance.now() + budget.seconds * 1000;
  let sliceEnd = 0;
  let rows = 0;
  return {
    /** @throws BodyTooLarge, TooManyFailures, RequestTimedOut when the budget does not allow another row */
    takeRow(failures: number): void {
      rows += 1;
      if (rows > budget.rows) throw new BodyTooLarge(`${budget.rows} rows`);
      if (failures > budget.failures) throw new TooManyFailures(budget.failures);
      if (performance.now() > end) throw new RequestTimedOut();
    },
    /** True from time to time, when other work should get a turn. */
    isTimeForOthers: () => performance.now() > sliceEnd,
    beginSlice(): void {
      sliceEnd = performance.now() + SLICE;
    },
  };
}
