import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from '@jest/globals';
import { until } from '../testing/until.ts';

const SERVICE = fileURLToPath(new URL('./support/child-server.ts', import.meta.url));
/** Every write fails as on a full disk. */
const FULL = '/dev/full';

let child: ChildProcess | undefined;
afterEach(() => void child?.kill('SIGKILL'));

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts the service with a log that cannot be written. */
function start(env: Record<string, string>): ChildProcess {
  const full = openSync(FULL, 'w');
  const { PATH = '' } = process.env;
  child = spawn(process.execPath, ['--import', 'tsx', SERVICE], {
    env: { PATH, ALSO_NEEDED: 'x', ...env },
    stdio: ['ignore', full, 'inherit'],
  });
  closeSync(full);
  return child;
}

const testWithFull = existsSync(FULL) ? test : test.skip;

testWithFull('a service goes on while its log cannot be written, and ends when it is stopped', async () => {
  const port = await freePort();
  const started = start({ NEEDED: 'x', PORT: String(port) });
  const ended = once(started, 'exit');
  const respond = async () => (await fetch(`http://127.0.0.1:${port}/slow`).catch(() => undefined))?.status;
  await until('it responds', async () => (await respond()) === 200);
  // Each takes half a second, and lines are written after a tenth.
  expect([await respond(), await respond()]).toEqual([200, 200]);
  started.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
});

testWithFull('a service that cannot start ends', async () => {
  expect(await once(start({ NEEDED: 'fail at start' }), 'exit')).toEqual([1, null]);
});
