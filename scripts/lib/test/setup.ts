import { build, generateClients } from '../build.ts';
import { stopSignal } from '../signals.ts';
import { createStack, type Stack } from '../stack.ts';
import { say } from '../terminal.ts';
import { openServers, provideChromium, provideProgram } from './servers.ts';

/** Kept between the runs of watch mode. */
let stack: Stack | undefined;

/** Jest's globalSetup of every workspace: starts PostgreSQL and Redis, whatever started Jest. */
export async function startServers() {
  if (process.env.TEST_DATABASE_URL !== undefined) return;
  const signal = stopSignal();
  await generateClients(signal);
  const opened = createStack();
  Object.assign(process.env, await openServers({ stack: opened, signal }));
  stack = opened;
  say(`Testing on PostgreSQL and Redis (${process.env.TEST_REDIS_SERVER}), both started for this run.`);
  signal.addEventListener('abort', () => void stopServers().then(() => process.exit(130)), { once: true });
}

/** Jest's globalSetup of tests that run the built services as processes, or a browser. */
export async function startServersAndBuild() {
  const { signal } = new AbortController();
  await startServers();
  for (const name of ['nginx', 'prometheus', 'haproxy', 'pgbouncer'] as const)
    await provideProgram(name, signal);
  process.env.CHROMIUM_PATH = await provideChromium(signal);
  await build({ signal });
}

/** Jest's globalTeardown. */
export async function stopServers({ watch = false, watchAll = false } = {}) {
  if (watch || watchAll) return;
  const opened = stack;
  stack = undefined;
  await opened?.unwind();
}
