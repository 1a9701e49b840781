import { once } from 'node:events';
import type { Logger } from 'pino';
import { ConfigError } from '../runtime/config.ts';
import { connectRedis, type RedisConnection } from './connect.ts';

/** Milliseconds that the first connection gets before the service starts without Redis. */
const FIRST_CONNECTION_TIMEOUT = 1000;

/**
 * The connection of a service, or undefined without a `REDIS_URL`. It may be unavailable; then it is used as soon as it is there.
 * @throws ConfigError if it is there and cannot serve: a replica takes no writes, and a cluster splits the keys that scripts
 * use together
 */
export async function openRedis(
  url: string | undefined,
  logger: Logger,
): Promise<RedisConnection | undefined> {
  if (url === undefined) return undefined;
  const connection = connectRedis(url, logger);
  const refusal = await refusalOf(connection);
  if (refusal === undefined) return connection;
  await connection.close();
  throw new ConfigError(`REDIS_URL: ${refusal}`);
}

async function refusalOf({ client }: RedisConnection): Promise<string | undefined> {
  // Rejects with the first error, such as a refused connection.
  const first = await once(client, 'ready', { signal: AbortSignal.timeout(FIRST_CONNECTION_TIMEOUT) }).catch(
    () => undefined,
  );
  const info = first && (await client.info().catch(() => undefined));
  if (info === undefined) return undefined;
  if (/^cluster_enabled:1/m.test(info)) return 'is a Redis Cluster; use one primary, or Redis Sentinel';
  if (/^role:slave/m.test(info))
    return 'is a replica, which takes no writes; use its primary, or Redis Sentinel';
  return undefined;
}
