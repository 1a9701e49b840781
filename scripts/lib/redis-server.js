import { randomBytes } from 'node:crypto';
import { accessSync, closeSync, constants, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Failure, Interrupted } from './failure.js';
import { freePort } from './ports.js';
import { launch, sleep, stop } from './processes.js';

const READY_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 5_000;
const PROBE_TIMEOUT_MS = 1_000;
const NAMES = ['redis-server', 'valkey-server'];

/** @returns {string | undefined} the path of a Redis or Valkey server */
export function findRedisServer() {
  return NAMES.map(findProgram).find((path) => path !== undefined);
}

/**
 * @param {string} name
 * @returns {string | undefined}
 */
export function findProgram(name) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * @typedef {{ binary: string, logFile: string, port: number, password: string }} RedisLaunch
 */

/** @returns {Promise<{ port: number, password: string, url: string }>} an address that a new server can have */
export async function newRedisAddress() {
  const port = await freePort();
  const password = randomBytes(24).toString('base64url');
  return { port, password, url: `redis://:${password}@127.0.0.1:${port}` };
}

/**
 * A server for cache and counters: on 127.0.0.1, behind a password, nothing kept on disk.
 * @param {RedisLaunch} options
 */
export function launchRedis({ binary, logFile, port, password }) {
  const log = openSync(logFile, 'a', 0o600);
  try {
    // The settings go through stdin, as a password on the command line is for everybody to see.
    const launched = launch({ command: binary, args: ['-'], cwd: tmpdir(), stdio: ['pipe', log, log] });
    launched.child.stdin?.on('error', () => {});
    launched.child.stdin?.end(
      `port ${port}\nbind 127.0.0.1\nrequirepass ${password}\nsave ""\nappendonly no\ndaemonize no\n`,
    );
    return launched;
  } finally {
    closeSync(log);
  }
}

/**
 * @param {import('./processes.js').Launched} launched
 * @param {Omit<RedisLaunch, 'binary'> & { signal: AbortSignal, timeoutMs?: number }} options
 */
export async function untilRedisAnswers(
  launched,
  { logFile, port, password, signal, timeoutMs = READY_TIMEOUT_MS },
) {
  let ended = false;
  void launched.exited.then(() => {
    ended = true;
  });
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline && !ended) {
    if (signal.aborted) throw new Interrupted();
    if (await answersPing(port, password)) return;
    await sleep(50);
  }
  const log = (await readFile(logFile, 'utf8').catch(() => '')).trim().split('\n').slice(-4).join('\n');
  throw new Failure(`Redis does not start. The end of ${logFile}:\n${log}`);
}

/** @param {import('./processes.js').Launched} launched */
export async function stopRedis(launched) {
  await stop(launched, 'SIGTERM', STOP_TIMEOUT_MS);
}

/**
 * @param {number} port
 * @param {string} password empty for a server without one
 * @returns {Promise<boolean>}
 */
function answersPing(port, password) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: PROBE_TIMEOUT_MS });
    let answer = '';
    const end = (/** @type {boolean} */ alive) => {
      socket.destroy();
      resolve(alive);
    };
    socket.on('error', () => end(false));
    socket.on('timeout', () => end(false));
    socket.on('close', () => end(false));
    socket.on('connect', () => socket.write(`${password ? `AUTH ${password}\r\n` : ''}PING\r\n`));
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      if (answer.includes('+PONG')) end(true);
    });
  });
}
