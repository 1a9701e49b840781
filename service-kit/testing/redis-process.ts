import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { connectRedis, type RedisConnection } from '../src/redis/connect.ts';
import { until } from './until.ts';

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** A Redis for one test, which may kill, pause and restart it on the same port. */
export interface RedisProcess {
  url: string;
  port: number;
  start(): Promise<void>;
  kill(): Promise<void>;
  pause(): void;
  resume(): void;
}

/**
 * @param folder where it keeps what SAVE writes, and reads it at its next start; by default each start has an empty one
 * @param flags further settings
 */
export async function startRedisProcess(folder?: string, flags: string[] = []): Promise<RedisProcess> {
  const binary = process.env['TEST_REDIS_SERVER'];
  if (binary === undefined) throw new Error('TEST_REDIS_SERVER is not set: run the tests with npm test');
  const port = await freePort();
  let child: ChildProcess | undefined;
  let ownFolder: string | undefined;
  const redis: RedisProcess = {
    url: `redis://127.0.0.1:${port}`,
    port,
    async start() {
      // Also where nothing is saved: a replica writes what it receives to its folder.
      ownFolder = folder === undefined ? await mkdtemp(join(tmpdir(), 'shop-redis-')) : undefined;
      const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
      options.push('--dir', folder ?? String(ownFolder), ...flags);
      const started = spawn(binary, options, { stdio: ['ignore', 'pipe', 'ignore'] });
      child = started;
      let output = '';
      started.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
      await until('redis-server accepts connections', () => output.includes('Ready to accept connections'));
    },
    async kill() {
      const ended = child;
      child = undefined;
      if (ended === undefined || ended.exitCode !== null) return;
      const exit = once(ended, 'exit');
      ended.kill('SIGKILL');
      await exit;
      if (ownFolder !== undefined) await rm(ownFolder, { recursive: true, force: true });
    },
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
  };
  await redis.start();
  return redis;
}

/** A process's connection to it, under the names that another connection of the same prefix shares. */
export async function connectTo(redis: RedisProcess, prefix = 'kit:'): Promise<RedisConnection> {
  const connection = connectRedis(redis.url, pino({ level: 'silent' }), { prefix });
  await until('redis is ready', () => connection.isReady());
  return connection;
}
