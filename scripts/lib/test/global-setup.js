import { generateClients } from '../build.js';
import { stopSignal } from '../signals.js';
import { createStack } from '../stack.js';
import { say } from '../terminal.js';
import { openServers } from './servers.js';

/** Kept between the runs of watch mode. @type {import('../stack.js').Stack | undefined} */
let stack;

/** Jest's globalSetup of every workspace: starts PostgreSQL and Redis, whatever started Jest. */
export default async function startServers() {
  if (process.env['TEST_DATABASE_URL'] !== undefined) return;
  const signal = stopSignal();
  await generateClients(signal);
  const opened = createStack();
  Object.assign(process.env, await openServers({ stack: opened, signal }));
  stack = opened;
  say(`Testing on PostgreSQL and Redis (${process.env['TEST_REDIS_SERVER']}), both started for this run.`);
  signal.addEventListener('abort', () => void stopServers().then(() => process.exit(130)), { once: true });
}

export async function stopServers() {
  const opened = stack;
  stack = undefined;
  await opened?.unwind();
}
