import type { Sums } from './drill.checks.ts';
import type { Seen } from './order.load.ts';

export interface DrillResult {
  faults: number;
  seen: Seen;
  sums: Sums;
  notes?: string[];
}

/** Nothing that was accepted is lost, everything adds up, and every order got its final response. */
export const passed = ({ seen, sums }: DrillResult): boolean =>
  seen.accepted.length > 0 &&
  seen.unsettled === 0 &&
  seen.unexpected.length === 0 &&
  sums.lost.length === 0 &&
  sums.violations.length === 0;

const COLUMNS = ['drill', 'faults', 'requests', 'failures', 'seconds', 'accepted', 'lost', 'sums'];
const WIDTHS = [20, 8, 10, 10, 9, 10, 6, 8];
/** Lines about one kind of error. */
const AT_MOST = 20;

const row = (cells: (string | number)[]) =>
  cells
    .map((cell, i) => (i === 0 ? String(cell).padEnd(WIDTHS[0] ?? 0) : String(cell).padStart(WIDTHS[i] ?? 0)))
    .join('');

export const heading = row(COLUMNS);

/** @param result undefined if the drill could not be finished */
export function rowOf(name: string, result: DrillResult | undefined): string {
  if (result === undefined) return row([name, '', '', '', '', '', '', 'ERROR']);
  const { faults, seen, sums } = result;
  const state = sums.violations.length > 0 ? 'WRONG' : passed(result) ? 'ok' : 'FAILED';
  const seconds = seen.seconds.toFixed(1);
  return row([
    name,
    faults,
    seen.requests,
    seen.failures,
    seconds,
    seen.accepted.length,
    sums.lost.length,
    state,
  ]);
}

/** The lines of the report: observations and failures. */
export function detailsOf({ seen, sums, notes = [] }: DrillResult): string[] {
  return [
    ...notes,
    ...(seen.failures === 0 ? [] : [`failures: ${reasonsOf(seen)}`]),
    ...(seen.unsettled === 0 ? [] : [`${seen.unsettled} orders got no final response`]),
    ...seen.unexpected.slice(0, AT_MOST),
    ...(sums.lost.length === 0 ? [] : [`lost: ${sums.lost.join(', ')}`]),
    ...sums.violations.slice(0, AT_MOST),
  ];
}

const reasonsOf = ({ reasons }: Seen) =>
  Object.entries(reasons)
    .map(([reason, count]) => `${count} × ${reason}`)
    .join(', ');
