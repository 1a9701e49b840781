import { randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Redis } from 'ioredis';
import { Failure } from './failure.ts';
import { freePort } from './ports.ts';
import { type Launched, launch, stop, untilResponding } from './processes.ts';
import { lastLines } from './terminal.ts';

const READY_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 5_000;

/** Starts a server for caches and counters on 127.0.0.1, with a password and without persistence. */
export async function startRedis(binary: string, logFile: string, signal: AbortSignal) {
  const port = await freePort();
  const password = randomBytes(24).toString('base64url');
  const url = `redis://:${password}@127.0.0.1:${port}`;
  const settings = `port ${port}\nbind 127.0.0.1\nrequirepass ${password}\nsave ""\nappendonly no\ndaemonize no\n`;
  const relaunch = () => launchRedis(binary, logFile, settings);
  const launched = relaunch();
  const responds = () => withRedis(url, (client) => client.ping()).then(Boolean, () => false);
  try {
    if (await untilResponding(launched, { limitMs: READY_TIMEOUT_MS, signal, responds }))
      return { launched, relaunch, url };
    throw new Failure(`Redis does not start. ${await lastLines(logFile, 4)}`);
  } catch (error) {
    await stopRedis(launched);
    throw error;
  }
}

function launchRedis(binary: string, logFile: string, settings: string) {
  const log = openSync(logFile, 'a', 0o600);
  // The settings are passed by stdin, because a password on the command line is visible to all users.
  const launched = launch({ command: binary, args: ['-'], cwd: tmpdir(), stdio: ['pipe', log, log] });
  closeSync(log);
  launched.child.stdin?.on('error', () => {});
  launched.child.stdin?.end(settings);
  return launched;
}

export const stopRedis = (launched: Launched) => stop(launched, 'SIGTERM', STOP_TIMEOUT_MS);

/**
 * Stops a Redis that is left from a killed start.
 * @param url whoever takes its password is ours
 */
export async function shutDownRedis(url: string) {
  await withRedis(url, (client) => client.shutdown('NOSAVE')).catch(() => undefined);
}

async function withRedis<T>(url: string, use: (client: Redis) => Promise<T>) {
  const limits = { connectTimeout: 1000, commandTimeout: 1000, retryStrategy: null };
  const client = new Redis(url, { lazyConnect: true, ...limits });
  client.on('error', () => {});
  try {
    await client.connect();
    return await use(client);
  } finally {
    client.disconnect();
  }
}
