import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { connectRedis, type RedisConnection } from '../src/redis/connect.ts';

/** Milliseconds: a machine that is busy with tests is not an unavailable Redis. */
const COMMAND_TIMEOUT = 5000;

/** A connection to the test server with its own key prefix; ready when it is returned. */
export async function connectTestRedis(): Promise<RedisConnection> {
  const url = process.env['TEST_REDIS_URL'];
  if (url === undefined) throw new Error('TEST_REDIS_URL is not set: run the tests with npm test');
  const connection = connectRedis(url, pino({ level: 'silent' }), {
    prefix: `test:${randomUUID()}:`,
    commandTimeout: COMMAND_TIMEOUT,
  });
  await new Promise<void>((resolve, reject) => {
    connection.client.once('ready', resolve);
    connection.client.once('error', reject);
  });
  return connection;
}
