import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { connectRedis, type RedisConnection } from '../src/redis/connect.ts';
import { openRedis } from '../src/redis/open-redis.ts';
import { isRedisAddress, sentinelOptions } from '../src/redis/redis-options.ts';
import { freePort, type RedisProcess, startRedisProcess } from '../testing/redis-process.ts';
import { until } from '../testing/until.ts';
import { silent } from './support/test-app.ts';

const servers: RedisProcess[] = [];
const sentinels: ChildProcess[] = [];
const connections: RedisConnection[] = [];
const folders: string[] = [];
afterEach(async () => {
  for (const connection of connections.splice(0)) await connection.close();
  for (const sentinel of sentinels.splice(0)) sentinel.kill('SIGKILL');
  for (const server of servers.splice(0)) await server.kill();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function start(...flags: string[]): Promise<RedisProcess> {
  const server = await startRedisProcess(undefined, flags);
  servers.push(server);
  return server;
}

async function open(url: string): Promise<RedisConnection> {
  const connection = await openRedis(url, silent);
  if (connection === undefined) throw new Error('no connection');
  connections.push(connection);
  return connection;
}

const replicaOf = ({ port }: RedisProcess) => start('--replicaof', `127.0.0.1 ${port}`);
const works = (connection: RedisConnection) =>
  connection.check().then(
    () => true,
    () => false,
  );

describe('an address of Redis', () => {
  test.each([
    'redis://h',
    'rediss://user:password@h:6379/1',
    'redis+sentinel://h1,h2:26379/shop',
    'rediss+sentinel://u:p@h1:1,h2/shop?sentinel_password=s',
  ])('may be %s', (url) => expect(isRedisAddress(url)).toBe(true));

  test.each(['http://h', 'redis+sentinel://h1,h2', 'redis+sentinel:///shop'])('may not be %s', (url) =>
    expect(isRedisAddress(url)).toBe(false),
  );

  test('of Sentinels names them, the primary and the users', () => {
    const url = 'rediss+sentinel://shop:p%40ss@h1,[::1]:26380/main?sentinel_password=s%20s';
    expect(sentinelOptions(url)).toMatchObject({
      sentinels: [
        { host: 'h1', port: 26_379 },
        { host: '::1', port: 26_380 },
      ],
      name: 'main',
      username: 'shop',
      password: 'p@ss',
      sentinelPassword: 's s',
      enableTLSForSentinelMode: true,
    });
    expect(sentinelOptions('redis://h')).toBeUndefined();
  });
});

describe('a service at its start', () => {
  test('accepts a primary, with user and password', async () => {
    const server = await start(...'--user shop on >secret ~shop:* &* +@all --user default off'.split(' '));
    const connection = await open(server.url.replace('//', '//shop:secret@'));
    expect(await works(connection)).toBe(true);
  });

  test('goes on without Redis, and uses it as soon as it is there', async () => {
    const server = await start();
    await server.kill();
    const connection = await open(server.url);
    expect(await works(connection)).toBe(false);
    await server.start();
    await until('redis is used', () => works(connection));
  });

  test('needs none', async () => {
    expect(await openRedis(undefined, silent)).toBeUndefined();
  });

  test('refuses a replica', async () => {
    const replica = await replicaOf(await start());
    await expect(openRedis(replica.url, silent)).rejects.toThrow(/REDIS_URL: is a replica/);
  });

  test('refuses a cluster', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kit-cluster-'));
    folders.push(folder);
    const server = await start('--cluster-enabled', 'yes', '--dir', folder);
    await expect(openRedis(server.url, silent)).rejects.toThrow(/REDIS_URL: is a Redis Cluster/);
  });
});

describe('the check of /ready', () => {
  test('fails while Redis takes no writes, although it responds to a ping', async () => {
    const [primary, server] = [await start(), await start()];
    const connection = await open(server.url);
    expect(await works(connection)).toBe(true);
    await connection.client.call('REPLICAOF', '127.0.0.1', String(primary.port));
    expect(await connection.client.ping()).toBe('PONG');
    expect(await works(connection)).toBe(false);
    await connection.client.call('REPLICAOF', 'NO', 'ONE');
    expect(await works(connection)).toBe(true);
  });
});

describe('behind Sentinel', () => {
  /** One Sentinel that decides by itself. It takes no server for dead that a busy machine has delayed. */
  async function startSentinel({ port }: RedisProcess): Promise<number> {
    const folder = await mkdtemp(join(tmpdir(), 'kit-sentinel-'));
    folders.push(folder);
    const own = await freePort();
    const file = join(folder, 'sentinel.conf');
    const lines = [
      `port ${own}`,
      'bind 127.0.0.1',
      `sentinel monitor shop 127.0.0.1 ${port} 1`,
      'sentinel down-after-milliseconds shop 60000',
      'sentinel failover-timeout shop 2000',
    ];
    await writeFile(file, `${lines.join('\n')}\n`);
    const binary = process.env['TEST_REDIS_SERVER'] ?? '';
    sentinels.push(spawn(binary, [file, '--sentinel'], { cwd: folder, stdio: 'ignore' }));
    return own;
  }

  test.each(['kill', 'pause'] as const)(
    'writes again after a %s of the primary',
    async (fault) => {
      const primary = await start();
      await replicaOf(primary);
      const port = await startSentinel(primary);
      const sentinel = connectRedis(`redis://127.0.0.1:${port}`, silent);
      connections.push(sentinel);
      await until('the sentinel responds', () => sentinel.isReady());
      // A Sentinel that a busy machine has delayed for 2 s does nothing for 30 s, again and again.
      await sentinel.client.call('SENTINEL', 'DEBUG', 'TILT-PERIOD', '500');
      const replicas = async () => String(await sentinel.client.call('SENTINEL', 'REPLICAS', 'shop'));
      await until('the replica is known', async () =>
        /flags,slave,.*master-link-status,ok/.test(await replicas()),
      );
      const connection = connectRedis(`redis+sentinel://127.0.0.1:${port}/shop`, silent);
      connections.push(connection);
      await until('the primary is used', () => works(connection));
      const before = await connection.runId();
      await primary[fault]();
      await sentinel.client.call('SENTINEL', 'SET', 'shop', 'down-after-milliseconds', '500');
      await until(
        'the replica has taken over',
        async () => (await works(connection)) && (await connection.runId()) !== before,
      );
    },
    240_000,
  );
});
