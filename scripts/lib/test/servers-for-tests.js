import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeData } from '../postgres/data-folder.js';
import { startEmbeddedPostgres } from '../postgres/embedded.js';
import { stopPostgres, superuserUrl } from '../postgres/server.js';
import { newSecret } from '../secrets.js';
import { openTestRedis } from './redis-for-tests.js';

/**
 * A PostgreSQL and a Redis that are thrown away with the stack.
 * @param {object} options
 * @param {import('../stack.js').Stack} options.stack what is opened is closed with it
 * @param {AbortSignal} options.signal
 * @param {string[]} options.settings of PostgreSQL, `name=value`
 */
export async function openServers({ stack, signal, settings }) {
  const folder = await mkdtemp(join(tmpdir(), 'shop-test-'));
  const data = join(folder, 'postgres');
  stack.push('', async () => {
    await removeData(data);
    await rm(folder, { recursive: true, force: true });
  });
  await chmod(folder, 0o711);

  const password = newSecret();
  const { launched, port } = await startEmbeddedPostgres({
    path: data,
    logFile: join(folder, 'postgres.log'),
    password,
    passwordIsKept: true,
    settings,
    signal,
  });
  stack.push('postgres', () => stopPostgres(launched));
  const redis = await openTestRedis({ folder, stack, signal });
  const env = {
    ...process.env,
    TEST_DATABASE_URL: superuserUrl(password, port),
    TEST_REDIS_URL: redis.url,
    ...(redis.server === undefined ? {} : { TEST_REDIS_SERVER: redis.server }),
  };
  return { folder, env };
}
