import { build, generateClients } from '../build.ts';
import { Failure } from '../failure.ts';
import { CHROMIUM, provideProgram } from '../programs.ts';
import { stopSignal } from '../signals.ts';
import { createStack, type Stack } from '../stack.ts';
import { say } from '../terminal.ts';
import { openServers } from './servers.ts';

/** Kept between the runs of watch mode. */
let stack: Stack | undefined;

/** Jest's globalSetup of every workspace: starts PostgreSQL and Redis, whatever started Jest. */
export async function startServers() {
  if (process.env.TEST_DATABASE_URL !== undefined) return;
  const signal = stopSignal();
  await generateClients(signal);
  const opened = createStack();
  Object.assign(process.env, await openServers(opened, signal));
  stack = opened;
  say(`Testing on PostgreSQL and Redis (${process.env.TEST_REDIS_SERVER}), both started for this run.`);
  signal.addEventListener('abort', () => void stopServers().then(() => process.exit(130)), { once: true });
}

/** Jest's globalSetup of tests that run the built services as processes, or a browser. */
export async function startServersAndBuild() {
  const { signal } = new AbortController();
  await startServers();
  // Without them a few tests are skipped, with a warning.
  for (const name of ['nginx', 'prometheus', 'haproxy', 'pgbouncer'])
    await provideProgram([name], signal).catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error;
    });
  const chromium = process.env.CHROMIUM_PATH || (await provideProgram(CHROMIUM, signal));
  if (!chromium)
    throw new Failure(
      'Some of the tests need Chromium: apt install chromium, or set CHROMIUM_PATH to a Chrome.',
    );
  process.env.CHROMIUM_PATH = chromium;
  await build(signal);
}

/** Jest's globalTeardown. */
export async function stopServers({ watch = false, watchAll = false } = {}) {
  if (watch || watchAll) return;
  const opened = stack;
  stack = undefined;
  await opened?.unwind();
}
