import { join } from 'node:path';
import { Failure, Interrupted } from '../failure.js';
import { describe, launch, runTool, sleep } from '../processes.js';
import { ROOT } from '../shop.js';
import { printLogs } from './service-log.js';

const READY_TIMEOUT_MS = 60_000;
const PROBE_TIMEOUT_MS = 2_000;

/**
 * @param {string} name
 * @param {NodeJS.ProcessEnv} env
 */
export function launchService(name, env) {
  const launched = launch({
    command: process.execPath,
    args: [join('dist', 'server.js')],
    cwd: join(ROOT, name),
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  printLogs(name, launched.child);
  return launched;
}

/**
 * @param {string} name
 * @param {NodeJS.ProcessEnv} env
 * @param {AbortSignal} signal
 */
export async function migrate(name, env, signal) {
  await runTool({
    title: `The migrations of ${name} failed`,
    command: process.execPath,
    args: [join('dist', 'migrate.js')],
    cwd: join(ROOT, name),
    env,
    signal,
  });
}

/**
 * Until GET /ready answers 200. A service that ends meanwhile has a wrong configuration: no second try.
 * @param {{ name: string, url: string, launched: import('../processes.js').Launched, signal: AbortSignal }} options
 */
export async function untilReady({ name, url, launched, signal }) {
  /** @type {string | undefined} */
  let ended;
  void launched.exited.then((exit) => {
    ended = describe(exit);
  });
  let last = 'no answer';
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (Date.now() < deadline) {
    if (signal.aborted) throw new Interrupted();
    if (ended) throw new Failure(`${name} ended while it was starting (${ended}); its last lines say why.`);
    last = await probe(`${url}/ready`);
    if (last === '200') return;
    await sleep(100);
  }
  throw new Failure(
    `${name} is not ready after ${READY_TIMEOUT_MS / 1000} s: GET ${url}/ready says ${last}.`,
  );
}

/** @param {string} url */
async function probe(url) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    const body = await response.text();
    return response.status === 200 ? '200' : `${response.status} ${body.slice(0, 300)}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
