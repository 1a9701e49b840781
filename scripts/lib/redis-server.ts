import { randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import type { Redis } from 'ioredis';
import { Failure, Interrupted } from './failure.ts';
import { freePort } from './ports.ts';
import { type Launched, launch, sleep, stop } from './processes.ts';
import { findProgram } from './programs.ts';

const READY_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 5_000;
const NAMES = ['redis-server', 'valkey-server'];

/** @returns the path of a Redis or Valkey server */
export const findRedisServer = (): string | undefined =>
  NAMES.map((name) => findProgram(name)).find((path) => path !== undefined);

export type RedisOptions = { binary: string; logFile: string; port: number; password: string };

/** Starts a server for caches and counters on 127.0.0.1, with a password and without persistence. */
export async function startRedis({
  binary,
  logFile,
  signal,
}: {
  binary: string;
  logFile: string;
  signal: AbortSignal;
}) {
  const options = {
    binary,
    logFile,
    port: await freePort(),
    password: randomBytes(24).toString('base64url'),
  };
  const url = `redis://:${options.password}@127.0.0.1:${options.port}`;
  const launched = launchRedis(options);
  try {
    await untilResponding(launched, url, logFile, signal);
    return { launched, url, options };
  } catch (error) {
    await stopRedis(launched);
    throw error;
  }
}

export function launchRedis({ binary, logFile, port, password }: RedisOptions) {
  const log = openSync(logFile, 'a', 0o600);
  // The settings are passed by stdin, because a password on the command line is visible to all users.
  const launched = launch({ command: binary, args: ['-'], cwd: tmpdir(), stdio: ['pipe', log, log] });
  closeSync(log);
  launched.child.stdin?.on('error', () => {});
  launched.child.stdin?.end(
    `port ${port}\nbind 127.0.0.1\nrequirepass ${password}\nsave ""\nappendonly no\ndaemonize no\n`,
  );
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

async function untilResponding(launched: Launched, url: string, logFile: string, signal: AbortSignal) {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (Date.now() < deadline && launched.isRunning()) {
    if (signal.aborted) throw new Interrupted();
    if (await withRedis(url, (client) => client.ping()).catch(() => undefined)) return;
    await sleep(50);
  }
  const log = (await readFile(logFile, 'utf8').catch(() => '')).trim().split('\n').slice(-4).join('\n');
  throw new Failure(`Redis does not start. The end of ${logFile}:\n${log}`);
}

async function withRedis<T>(url: string, use: (client: Redis) => Promise<T>) {
  const { Redis } = await import('ioredis');
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 1000,
    retryStrategy: null,
    commandTimeout: 1000,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    return await use(client);
  } finally {
    client.disconnect();
  }
}
