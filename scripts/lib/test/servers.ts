import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../failure.ts';
import { removeData } from '../postgres/data-folder.ts';
import { startEmbeddedPostgres, stopPostgres, superuserUrl } from '../postgres/server.ts';
import { runTool } from '../processes.ts';
import { findProgram } from '../programs.ts';
import { findRedisServer, startRedis, stopRedis } from '../redis-server.ts';
import { newSecret } from '../secrets.ts';
import type { Stack } from '../stack.ts';
import { step } from '../terminal.ts';

/** For data that is thrown away: nothing has to survive a power cut. */
const THROWN_AWAY = ['max_connections=200', 'fsync=off', 'synchronous_commit=off', 'full_page_writes=off'];

/**
 * A PostgreSQL and a Redis that are deleted with the stack.
 * @returns the variables that tests and benches find them by
 */
export async function openServers({
  stack,
  signal,
  settings = THROWN_AWAY,
}: {
  stack: Stack;
  signal: AbortSignal;
  /** Of PostgreSQL, `name=value`. */
  settings?: string[];
}): Promise<Record<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), 'shop-test-'));
  await chmod(folder, 0o711);
  const data = join(folder, 'postgres');
  stack.push('', async () => {
    await removeData(data);
    await rm(folder, { recursive: true, force: true });
  });
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
  const binary = await redisServer(signal);
  const redis = await startRedis({ binary, logFile: join(folder, 'redis.log'), signal });
  stack.push('redis', () => stopRedis(redis.launched));
  return {
    TEST_DATABASE_URL: superuserUrl(password, port),
    TEST_REDIS_URL: redis.url,
    TEST_REDIS_SERVER: binary,
  };
}

/**
 * A Redis server of this machine, or Debian's package. Tests start and kill servers of their own, so a server somewhere else
 * is not enough.
 */
async function redisServer(signal: AbortSignal) {
  if (!findRedisServer()) await installWithApt('redis-server', signal);
  const found = findRedisServer();
  if (found) return found;
  throw new Failure(
    'The tests need redis-server or valkey-server on PATH: apt install redis-server, or brew install redis.',
  );
}

/**
 * A program without which a few tests are skipped, with a warning: nginx for the gateway, prometheus for alerts and
 * dashboard, haproxy and pgbouncer for drills; and kubectl for `npm run check:k8s`.
 */
export async function provideProgram(
  name: 'nginx' | 'prometheus' | 'haproxy' | 'pgbouncer' | 'kubectl',
  signal: AbortSignal,
) {
  if (findProgram(name)) return;
  const debian = name === 'kubectl' ? 'kubernetes-client' : name;
  await installWithApt(debian, signal).catch((error: Error) => {
    if (!(error instanceof Failure)) throw error;
  });
}

/**
 * A browser for tests that drive one: CHROMIUM_PATH, what is on PATH, or Debian's package.
 * @returns its program
 */
export async function provideChromium(signal: AbortSignal): Promise<string> {
  if (process.env.CHROMIUM_PATH) return process.env.CHROMIUM_PATH;
  if (!findChromium()) await installWithApt('chromium', signal);
  const found = findChromium();
  if (found) return found;
  throw new Failure(
    'Some of the tests need Chromium: apt install chromium, or set CHROMIUM_PATH to a Chrome.',
  );
}

const findChromium = () =>
  ['chromium', 'chromium-browser', 'google-chrome']
    .map((name) => findProgram(name))
    .find((program) => program);

/**
 * As root on Debian and its relatives; elsewhere nothing happens.
 * @param name of the package
 */
async function installWithApt(name: string, signal: AbortSignal) {
  const command = findProgram('apt-get');
  if (!command || userInfo().uid !== 0) return;
  // The package would start a system service; in run level 1 Debian's invoke-rc.d leaves it stopped.
  const env = { ...process.env, RUNLEVEL: '1', DEBIAN_FRONTEND: 'noninteractive' };
  const run = (args: string[]) => runTool({ title: `apt-get ${args[0]} failed`, command, args, env, signal });
  await step(`Installing Debian's ${name}`, async () => {
    await run(['update']);
    await run(['install', '-y', '--no-install-recommends', name]);
  });
}
