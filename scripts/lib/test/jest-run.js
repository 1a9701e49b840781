import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readJson } from '../json-file.js';
import { describe, killGroup, launch } from '../processes.js';
import { ROOT } from '../shop.js';

const GRACE_MS = 5_000;
// Jest waits for ever for what a test has left open.
const LINGER_MS = 60_000;
const LINGERED = `jest had to be ended ${LINGER_MS / 1000} s after its last test: something is still open`;
const WITHOUT_COVERAGE = new Set(['e2e']);

/**
 * @typedef {object} JestRun
 * @property {string} workspace
 * @property {number} passed
 * @property {number} failed tests, and files that could not run at all
 * @property {number} seconds
 * @property {number} [lines] covered, in percent
 * @property {number} [branches] covered, in percent
 * @property {string} [problem] why the run counts as failed besides its tests
 */

/**
 * @param {object} options
 * @param {string} options.workspace
 * @param {string[]} options.args of the caller, which may choose a few tests only
 * @param {NodeJS.ProcessEnv} options.env
 * @param {string} options.folder for the results
 * @param {AbortSignal} options.signal
 * @returns {Promise<JestRun>}
 */
export async function runJest({ workspace, args, env, folder, signal }) {
  const cwd = join(ROOT, workspace);
  const resultFile = join(folder, `${workspace}.json`);
  const summaryFile = join(cwd, 'coverage', 'coverage-summary.json');
  await rm(summaryFile, { force: true });
  const started = Date.now();
  const launched = launch({
    command: process.execPath,
    args: [
      join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js'),
      ...coverageFlags(workspace, args),
      '--json',
      `--outputFile=${resultFile}`,
      ...args,
    ],
    cwd,
    env: { ...env, NODE_OPTIONS: `${env.NODE_OPTIONS ?? ''} --experimental-vm-modules --no-warnings`.trim() },
    // --json writes the results to stdout too, beside the file.
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const cutOff = endLingering(launched, resultFile);
  const exit = await endOf(launched, signal);
  const lingered = cutOff();
  signal.throwIfAborted();
  const result = /** @type {JestResult | undefined} */ (await readJson(resultFile));
  const counts = count(result);
  const problem = lingered ? LINGERED : problemOf({ exit, ...counts, chosen: args.length > 0 });
  return {
    workspace,
    ...counts,
    seconds: (Date.now() - started) / 1000,
    ...coverageOf(await readJson(summaryFile)),
    ...(problem === undefined ? {} : { problem }),
  };
}

/**
 * A choice of tests cannot reach the thresholds, and may leave a workspace without any.
 * @param {string} workspace
 * @param {string[]} args
 */
function coverageFlags(workspace, args) {
  if (WITHOUT_COVERAGE.has(workspace))
    return ['--coverage=false', ...(args.length > 0 ? ['--passWithNoTests'] : [])];
  return args.length > 0 ? ['--coverage', '--coverageThreshold={}', '--passWithNoTests'] : ['--coverage'];
}

/**
 * Ends a jest that has written its results long ago.
 * @param {import('../processes.js').Launched} launched
 * @param {string} resultFile
 * @returns {() => boolean} stops watching, and tells whether jest was ended
 */
function endLingering(launched, resultFile) {
  let ended = false;
  const timer = setInterval(async () => {
    const written = await stat(resultFile).catch(() => undefined);
    if (!written || Date.now() - written.mtimeMs < LINGER_MS) return;
    ended = true;
    killGroup(launched.pid, 'SIGKILL');
  }, 1000);
  return () => {
    clearInterval(timer);
    return ended;
  };
}

/**
 * Jest is in a process group of its own; on a stop it goes first, before the servers that its tests use.
 * @param {import('../processes.js').Launched} launched
 * @param {AbortSignal} signal
 */
async function endOf(launched, signal) {
  /** @type {NodeJS.Timeout | undefined} */
  let killer;
  const onAbort = () => {
    killGroup(launched.pid, 'SIGTERM');
    killer = setTimeout(() => killGroup(launched.pid, 'SIGKILL'), GRACE_MS);
  };
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  const exit = await launched.exited;
  signal.removeEventListener('abort', onAbort);
  clearTimeout(killer);
  killGroup(launched.pid, 'SIGKILL');
  return exit;
}

/**
 * @typedef {{ numPassedTests: number, numFailedTests: number, numRuntimeErrorTestSuites: number }} JestResult
 * @param {JestResult | undefined} result
 */
function count(result) {
  if (!result) return { passed: 0, failed: 1 };
  return { passed: result.numPassedTests, failed: result.numFailedTests + result.numRuntimeErrorTestSuites };
}

/**
 * @param {{ exit: import('../processes.js').Exit, passed: number, failed: number, chosen: boolean }} outcome
 */
function problemOf({ exit, passed, failed, chosen }) {
  if (failed > 0) return undefined;
  if (passed === 0 && !chosen) return 'no test ran';
  return exit.code === 0
    ? undefined
    : `jest ended with ${describe(exit)} although no test failed (coverage?)`;
}

/** @param {unknown} summary */
function coverageOf(summary) {
  const total = /** @type {{ total?: Record<string, { pct: number | 'Unknown' }> } | undefined} */ (summary)
    ?.total;
  const percent = (/** @type {string} */ kind) => {
    const value = total?.[kind]?.pct;
    return typeof value === 'number' ? { [kind]: value } : {};
  };
  return { ...percent('lines'), ...percent('branches') };
}
