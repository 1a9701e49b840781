import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../failure.ts';
import { removeData } from '../postgres/data-folder.ts';
import { startEmbeddedPostgres, stopPostgres, superuserUrl } from '../postgres/server.ts';
import { provideProgram, REDIS } from '../programs.ts';
import { startRedis, stopRedis } from '../redis-server.ts';
import { newSecret } from '../secrets.ts';
import type { Stack } from '../stack.ts';

/** For data that is thrown away: nothing has to survive a power cut. */
const THROWN_AWAY = ['max_connections=200', 'fsync=off', 'synchronous_commit=off', 'full_page_writes=off'];

/**
 * A PostgreSQL and a Redis that are deleted with the stack.
 * @param settings of PostgreSQL, `name=value`
 * @returns the variables that tests and benches find them by
 */
export async function openServers(stack: Stack, signal: AbortSignal, settings = THROWN_AWAY) {
  const folder = await mkdtemp(join(tmpdir(), 'shop-test-'));
  await chmod(folder, 0o711);
  const path = join(folder, 'postgres');
  stack.push('', async () => {
    await removeData(path);
    await rm(folder, { recursive: true, force: true });
  });
  const password = newSecret();
  const logFile = join(folder, 'postgres.log');
  const postgres = await startEmbeddedPostgres({ path, logFile, password, settings, signal });
  stack.push('postgres', () => stopPostgres(postgres.launched));
  const binary = await provideProgram(REDIS, signal);
  if (!binary)
    throw new Failure(
      'The tests need redis-server or valkey-server on PATH: apt install redis-server, or brew install redis.',
    );
  const redis = await startRedis(binary, join(folder, 'redis.log'), signal);
  stack.push('redis', () => stopRedis(redis.launched));
  return {
    TEST_DATABASE_URL: superuserUrl(password, postgres.port),
    TEST_REDIS_URL: redis.url,
    // Tests start and kill servers of their own.
    TEST_REDIS_SERVER: binary,
  };
}
