import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { call } from './support/http.ts';
import { freePort, type Started, startProcess, until } from './support/process.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const WITHOUT_PROC = fileURLToPath(new URL('support/without-proc.cjs', import.meta.url));

let folder: string;
let urls: string[];
let start: (further?: Record<string, string>) => Started;
let shop: Started | undefined;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shop-start-'));
  // As root, PostgreSQL is started as another user.
  await chmod(folder, 0o711);
  const [user, product, order] = [await freePort(), await freePort(), await freePort()];
  urls = [user, product, order].map((port) => `http://127.0.0.1:${port}`);
  const env = {
    DATA_FOLDER: join(folder, 'data'),
    USER_PORT: String(user),
    PRODUCT_PORT: String(product),
    ORDER_PORT: String(order),
    HOME: process.env['HOME'] ?? folder,
  };
  start = (further = {}) => {
    shop = startProcess(process.execPath, ['scripts/run.js', 'scripts/commands/start.ts'], {
      cwd: ROOT,
      env: { ...env, ...further },
    });
    return shop;
  };
});
afterAll(async () => {
  await shop?.stop(60_000);
  await rm(folder, { recursive: true, force: true });
});

const countReady = async () => {
  const responses = await Promise.allSettled(urls.map((url) => call('GET', `${url}/ready`)));
  return responses.filter(({ status }) => status === 'fulfilled').length;
};
async function untilOpen(started: Started): Promise<void> {
  const open = until(
    'the shop is open',
    async () => started.output().includes('The shop is open') && (await countReady()) === 3,
  );
  const died = started.ended().then((code) => {
    throw new Error(`npm start ended with ${code}:\n${started.output()}`);
  });
  died.catch(() => undefined);
  await Promise.race([open, died]);
}
const databaseOf = async () =>
  JSON.parse(await readFile(join(folder, 'data', 'run.json'), 'utf8')).databases['user-service'];

test('after kill -9 of npm start the services end, and the next start continues with the same data', async () => {
  const first = start();
  await untilOpen(first);
  const body = { username: 'killed', email: 'killed@example.com', password: 'securepass123' };
  expect((await call('POST', `${urls[0]}/api/users/register`, body)).status).toBe(201);
  first.signal('SIGKILL');
  await first.ended();
  await until('no service is left', async () => (await countReady()) === 0);

  const second = start();
  await untilOpen(second);
  expect((await call('POST', `${urls[0]}/api/users/register`, body)).status).toBe(409);
  expect(await databaseOf()).toMatch(/^postgres/);
  expect(await second.stop(60_000)).toBe(0);
  expect(await countReady()).toBe(0);
});

test('two servers never run on the same data, also where there is no /proc', async () => {
  const first = start();
  await untilOpen(first);
  const server = Number.parseInt(
    await readFile(join(folder, 'data', 'postgres', 'postmaster.pid'), 'utf8'),
    10,
  );
  first.signal('SIGKILL');
  await first.ended();
  const state = () =>
    spawnSync('ps', ['-o', 'stat=', '-p', String(server)], { encoding: 'utf8' }).stdout.trim();
  const isRunning = () => !/^(Z.*)?$/.test(state());
  expect(isRunning()).toBe(true);

  const second = start({ NODE_OPTIONS: `--require ${WITHOUT_PROC}` });
  await untilOpen(second);
  expect(isRunning()).toBe(false);
  expect(await second.stop(60_000)).toBe(0);
});
