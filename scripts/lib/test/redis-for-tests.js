import { closeSync, openSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../failure.js';
import { freePort } from '../ports.js';
import { launch, runTool } from '../processes.js';
import {
  findProgram,
  findRedisServer,
  launchRedis,
  newRedisAddress,
  stopRedis,
  untilRedisAnswers,
} from '../redis-server.js';
import { step } from '../terminal.js';

const IMAGE = 'redis:7-bookworm';
const PULL_TIMEOUT_MS = 180_000;

/**
 * @typedef {object} TestRedis
 * @property {string} url
 * @property {string | undefined} server the program, for tests that start and kill a Redis of their own
 *
 * @typedef {object} Options
 * @property {string} folder for its log
 * @property {import('../stack.js').Stack} stack
 * @property {AbortSignal} signal
 */

/**
 * REDIS_URL, else a server of this machine, else Debian's package, else a container.
 * @param {Options} options
 * @returns {Promise<TestRedis>}
 */
export async function openTestRedis(options) {
  if (process.env.REDIS_URL) return { url: process.env.REDIS_URL, server: findRedisServer() };
  const server = findRedisServer() ?? (await installWithApt(options.signal));
  if (server) return { url: await startServer(server, options), server };
  const docker = findProgram('docker');
  if (docker) return { url: await startContainer(docker, options), server: undefined };
  throw new Failure(
    'The tests need a Redis server: install redis-server or valkey-server (apt install redis-server, brew install redis), or set REDIS_URL.',
  );
}

/**
 * @param {string} binary
 * @param {Options} options
 */
async function startServer(binary, { folder, stack, signal }) {
  const { url, ...address } = await newRedisAddress();
  const options = { binary, logFile: join(folder, 'redis.log'), ...address };
  const launched = launchRedis(options);
  stack.push('redis', () => stopRedis(launched));
  await untilRedisAnswers(launched, { ...options, signal });
  return url;
}

/**
 * @param {AbortSignal} signal
 * @returns {Promise<string | undefined>}
 */
async function installWithApt(signal) {
  const apt = findProgram('apt-get');
  if (!apt || userInfo().uid !== 0) return undefined;
  // The package would start a system service; in run level 1 Debian's invoke-rc.d leaves it stopped.
  const env = { ...process.env, RUNLEVEL: '1', DEBIAN_FRONTEND: 'noninteractive' };
  const run = (/** @type {string[]} */ args) =>
    runTool({ title: `apt-get ${args[0]} failed`, command: apt, args, env, signal });
  try {
    await step("Installing Debian's redis-server", async () => {
      await run(['update']);
      await run(['install', '-y', '--no-install-recommends', 'redis-server']);
    });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
  }
  return findRedisServer();
}

/**
 * @param {string} docker
 * @param {Options} options
 */
async function startContainer(docker, { folder, stack, signal }) {
  const port = await freePort();
  const logFile = join(folder, 'redis.log');
  const log = openSync(logFile, 'a');
  const launched = launch({
    command: docker,
    args: ['run', '--rm', '-p', `127.0.0.1:${port}:6379`, IMAGE, 'redis-server', '--save', ''],
    cwd: tmpdir(),
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  stack.push('redis', () => stopRedis(launched));
  await step(`Starting ${IMAGE} in Docker`, () =>
    untilRedisAnswers(launched, { logFile, port, password: '', signal, timeoutMs: PULL_TIMEOUT_MS }),
  );
  return `redis://127.0.0.1:${port}`;
}
