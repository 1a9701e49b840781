import { paint, say } from '../terminal.js';

/**
 * A table of the runs, and the sum as the last line.
 * @param {import('./jest-run.js').JestRun[]} runs
 * @returns {boolean} whether all is well
 */
export function printSummary(runs) {
  const passed = sum(runs, 'passed');
  const failed = sum(runs, 'failed');
  const rows = runs.map((run) => [
    run.workspace,
    String(run.passed),
    String(run.failed),
    percent(run.lines),
    percent(run.branches),
    run.seconds.toFixed(1),
  ]);
  const total = ['total', String(passed), String(failed), '', '', sum(runs, 'seconds').toFixed(1)];
  say('');
  for (const row of [['workspace', 'passed', 'failed', 'lines %', 'branches %', 'seconds'], ...rows, total]) {
    say(row.map((cell, column) => (column === 0 ? cell.padEnd(16) : cell.padStart(11))).join(''));
  }
  const problems = runs.flatMap(({ workspace, problem }) => (problem ? [`${workspace}: ${problem}`] : []));
  if (passed + failed === 0 && problems.length === 0) problems.push('no test ran');
  say('');
  for (const problem of problems) say(paint('red', problem));
  say(`${passed} passed, ${failed} failed`);
  return failed === 0 && problems.length === 0;
}

/**
 * @param {import('./jest-run.js').JestRun[]} runs
 * @param {'passed' | 'failed' | 'seconds'} key
 */
function sum(runs, key) {
  return runs.reduce((total, run) => total + run[key], 0);
}

/** @param {number | undefined} value */
function percent(value) {
  return value === undefined ? '–' : value.toFixed(1);
}
