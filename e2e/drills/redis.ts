import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort, sleep, until } from '../support/process.ts';
import { startDrillShop, underLoad } from './drill.shop.ts';
import { type Engine, engineFolder, startEngine } from './engines.ts';

const READ_ONLY_FOR = 3000;
const SENTINELS = 3;
const QUORUM = 2;
const NAME = 'shop';

async function readiness(url: string): Promise<string> {
  const response = await fetch(`${url}/ready`);
  return String(((await response.json()) as { status?: string }).status);
}

async function startRedis(folder: string, flags: string[] = []) {
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder, ...flags];
  const engine = startEngine('redis-server', args, folder);
  const client = new Redis(port, '127.0.0.1', { retryStrategy: () => 100, maxRetriesPerRequest: null });
  client.on('error', () => undefined);
  await client.ping();
  return { port, engine, client };
}

/** Redis becomes a replica, as after somebody else's failover: orders do not notice, `/ready` reports it. */
export async function redisReplica() {
  const folder = await engineFolder('redis');
  const [server, other] = [await startRedis(folder.path), await startRedis(folder.path)];
  const shop = await startDrillShop({ redisUrl: `redis://127.0.0.1:${server.port}` });
  const states: string[] = [];
  const observe = async () => states.push(await readiness(shop.stack.order.url));
  try {
    return await underLoad({
      shop,
      async strike() {
        await observe();
        await server.client.replicaof('127.0.0.1', other.port);
        await sleep(READ_ONLY_FOR);
        await observe();
        await server.client.replicaof('NO', 'ONE');
        await until(
          'redis is used again',
          async () => (await readiness(shop.stack.order.url)) === 'ready',
          20_000,
        );
        await observe();
        if (states.join() !== 'ready,degraded,ready') throw new Error(`/ready said ${states.join()}`);
        return { faults: 1, notes: [`/ready: ${states.join(', ')}`] };
      },
    });
  } finally {
    await shop.stack.close();
    for (const { client, engine } of [server, other]) {
      client.disconnect();
      await engine.stop();
    }
    await folder.remove();
  }
}

/** The primary is killed; three Sentinels make its replica the primary, and the services follow them. */
export async function redisSentinel() {
  const folder = await engineFolder('sentinel');
  const primary = await startRedis(folder.path);
  const replica = await startRedis(folder.path, ['--replicaof', `127.0.0.1 ${primary.port}`]);
  const sentinels: { port: number; engine: Engine }[] = [];
  for (let n = 0; n < SENTINELS; n++) sentinels.push(await startSentinel(folder.path, n, primary.port));
  await until('the sentinels know each other', () => knowAll(sentinels[0]?.port ?? 0), 30_000);
  const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',');
  const shop = await startDrillShop({ redisUrl: `redis+sentinel://${hosts}/${NAME}` });
  try {
    return await underLoad({
      shop,
      async strike() {
        const ready = () => readiness(shop.stack.order.url);
        await until('redis is used', async () => (await ready()) === 'ready', 10_000);
        const killedAt = performance.now();
        await primary.engine.kill();
        await until('it was noticed', async () => (await ready()) === 'degraded', 10_000);
        await until('the replica has taken over', async () => (await ready()) === 'ready', 60_000);
        const seconds = ((performance.now() - killedAt) / 1000).toFixed(1);
        return { faults: 1, notes: [`caches and rate limits were back after ${seconds} s`] };
      },
    });
  } finally {
    await shop.stack.close();
    for (const { client } of [primary, replica]) client.disconnect();
    for (const { engine } of [...sentinels, primary, replica]) await engine.stop();
    await folder.remove();
  }
}

async function startSentinel(folder: string, n: number, primary: number) {
  const port = await freePort();
  const file = join(folder, `sentinel${n}.conf`);
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `sentinel monitor ${NAME} 127.0.0.1 ${primary} ${QUORUM}`,
    `sentinel down-after-milliseconds ${NAME} 1000`,
    `sentinel failover-timeout ${NAME} 5000`,
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  // A Sentinel writes what it learns into its file.
  await chmod(file, 0o666);
  return { port, engine: startEngine('redis-server', [file, '--sentinel'], folder) };
}

async function knowAll(port: number): Promise<boolean> {
  const client = new Redis(port, '127.0.0.1', { retryStrategy: () => null });
  client.on('error', () => undefined);
  try {
    const [primary] = (await client.call('SENTINEL', 'MASTERS')) as string[][];
    const fieldOf = (name: string) => primary?.[primary.indexOf(name) + 1];
    return fieldOf('num-other-sentinels') === String(SENTINELS - 1) && fieldOf('num-slaves') === '1';
  } finally {
    client.disconnect();
  }
}
