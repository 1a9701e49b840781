import { FAULTS, POINTS } from './fault.points.ts';
import type { RoundResult } from './fault.round.ts';

const FAULT_WIDTH = 38;
const CELL_WIDTH = 10;
/** Characters of a response that are printed. */
const SHOWN_TEXT = 400;

/** One line per round. */
export function lineOf({ round, strikes, history, placed, quietAfter }: RoundResult): string {
  const struck = strikes.map(({ fault, point, struckAt }) =>
    struckAt === undefined ? `${fault} @ ${point} (not reached)` : `${fault} @ ${point} (${struckAt} ms)`,
  );
  const counts = `${history.placements.length} requested, ${placed} placed, settled after ${quietAfter} ms`;
  return `round ${round}: ${counts}; ${struck.join('; ')}`;
}

/** Counts of faults × points, and the time until the stock was returned. */
export function summaryOf(results: RoundResult[]): string {
  const struck = results.flatMap(({ strikes }) => strikes).filter(({ struckAt }) => struckAt !== undefined);
  const count = (fault?: string, point?: string) =>
    struck.filter(
      (strike) => (fault ?? strike.fault) === strike.fault && (point ?? strike.point) === strike.point,
    ).length;
  const row = (title: string, cells: (string | number)[]) =>
    title.padEnd(FAULT_WIDTH) + cells.map((cell) => String(cell || '·').padStart(CELL_WIDTH)).join('');
  const heading = (part: 0 | 1) => POINTS.map((point) => point.split(/, | (?=\S+$)/)[part] ?? '');
  const quiet = results.map(({ quietAfter }) => quietAfter).sort((a, b) => a - b);
  const sum = (of: (result: RoundResult) => number) =>
    results.reduce((total, result) => total + of(result), 0);
  return [
    row('', [...heading(0), '']),
    row('fault', [...heading(1), 'all']),
    ...FAULTS.map((fault) => row(fault, [...POINTS.map((point) => count(fault, point)), count(fault)])),
    row('all', [...POINTS.map((point) => count(undefined, point)), count()]),
    '',
    `rounds ${results.length}, orders requested ${sum(({ history }) => history.placements.length)}, ` +
      `placed ${sum(({ placed }) => placed)}, batches of more than ten ${sum(({ largeBatches }) => largeBatches)}, samples of the stock ${sum(({ samples }) => samples)}`,
    `stock back after: median ${quiet[Math.floor(quiet.length / 2)] ?? 0} ms, max ${quiet.at(-1) ?? 0} ms`,
    `violations ${sum(({ violations }) => violations.length)}`,
  ].join('\n');
}

/** The details of a round with violations. */
export function failureOf({ round, strikes, history, violations }: RoundResult, seed: number): string {
  const events = [...history.placements, ...history.changes].sort(
    (a, b) => (a.attempts[0]?.at ?? 0) - (b.attempts[0]?.at ?? 0),
  );
  return [
    `VIOLATION in round ${round} of seed ${seed} (replay: --seed ${seed} --first ${round} --rounds 1)`,
    ...strikes.map((strike) => `  strike ${JSON.stringify(strike)}`),
    ...events.map((event) => `  ${JSON.stringify(event, shorten)}`),
    ...violations.map((violation) => `  ${violation}`),
  ].join('\n');
}

const shorten = (name: string, value: unknown) =>
  name === 'text' && typeof value === 'string' ? value.slice(0, SHOWN_TEXT) : value;
