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
  seen.accepted.length > 0 && seen.unsettled === 0 && sums.lost.length === 0 && sums.violations.length === 0;

const COLUMNS = ['drill', 'faults', 'requests', 'failures', 'seconds', 'accepted', 'lost', 'sums'];
const WIDTHS = [20, 8, 10, 10, 9, 10, 6, 6];

const row = (cells: (string | number)[]) =>
  cells
    .map((cell, i) => (i === 0 ? String(cell).padEnd(WIDTHS[0] ?? 0) : String(cell).padStart(WIDTHS[i] ?? 0)))
    .join('');

export const heading = row(COLUMNS);

/** One line of the table; below it what went wrong. */
export function lineOf(name: string, result: DrillResult): string {
  const { faults, seen, sums, notes = [] } = result;
  const state = sums.violations.length === 0 ? 'ok' : 'WRONG';
  const cells = [name, faults, seen.requests, seen.failures, seen.seconds.toFixed(1), seen.accepted.length];
  const unsettled = seen.unsettled === 0 ? [] : [`${seen.unsettled} orders got no final response`];
  const lost = sums.lost.length === 0 ? [] : [`lost: ${sums.lost.join(', ')}`];
  return [
    row([...cells, sums.lost.length, state]),
    ...[...notes, ...unsettled, ...lost, ...sums.violations.slice(0, 20)].map((note) => `    ${note}`),
  ].join('\n');
}
