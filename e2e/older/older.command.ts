import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from '../../scripts/lib/build.ts';
import { Failure, Interrupted } from '../../scripts/lib/failure.ts';
import { freePort } from '../../scripts/lib/ports.ts';
import { withConnection } from '../../scripts/lib/postgres/sql.ts';
import {
  type Launched,
  launch,
  runInForeground,
  runTool,
  stop,
  untilResponding,
} from '../../scripts/lib/processes.ts';
import { ROOT, SERVICES } from '../../scripts/lib/shop.ts';
import { stopSignal } from '../../scripts/lib/signals.ts';
import { createStack, type Stack } from '../../scripts/lib/stack.ts';
import { migrate } from '../../scripts/lib/start/service.ts';
import { say, warn } from '../../scripts/lib/terminal.ts';
import { openServers } from '../../scripts/lib/test/servers.ts';

export const HELP = `npm run older          the services of the commit 20 back run on the schema of this one, and pass their test_complete.sh
npm run older -- 50    those of another commit
A rolling release has both at the same time, and a rollback leaves the new schema to the old services. Without so much
history, as in a shallow clone or an archive, nothing is run.`;
const STOP_TIMEOUT_MS = 60_000;
const READY_WITHIN_MS = 1_200_000;

export async function main([back = '20']: string[]) {
  if (!/^\d{1,5}$/.test(back)) throw new Failure(HELP);
  const signal = stopSignal();
  const stack = createStack();
  try {
    const commit = await commitBack(Number(back), signal);
    if (commit === undefined) {
      warn(`SKIPPED: the commit ${back} back is not in this clone (git fetch --deepen=${back}).`);
      return 0;
    }
    await build(signal);
    const folder = await checkOut(commit, stack, signal);
    const { TEST_DATABASE_URL = '', TEST_REDIS_URL } = await openServers(stack, signal);
    const ports = await Promise.all(SERVICES.map(() => freePort()));
    const shop = launch({
      command: 'npm',
      args: ['start'],
      cwd: folder,
      env: {
        ...process.env,
        ...(await migrateAll(TEST_DATABASE_URL, signal)),
        ...Object.fromEntries(SERVICES.map(({ portVariable }, i) => [portVariable, String(ports[i])])),
        REDIS_URL: TEST_REDIS_URL,
        DATA_FOLDER: join(folder, '.data'),
        LOG_LEVEL: 'warn',
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    stack.push('the older shop', () => stop(shop, 'SIGTERM', STOP_TIMEOUT_MS));
    const urls = ports.map((port) => `http://127.0.0.1:${port}`);
    await untilReady(urls, shop, signal);
    const [USER_URL, PRODUCT_URL, ORDER_URL] = urls;
    return await runInForeground({
      command: join(folder, 'test_complete.sh'),
      args: [],
      cwd: folder,
      env: { ...process.env, USER_URL, PRODUCT_URL, ORDER_URL },
      signal,
      graceMs: STOP_TIMEOUT_MS,
    });
  } finally {
    await stack.unwind();
  }
}

async function git(signal: AbortSignal | undefined, ...args: string[]) {
  const title = `git ${args[0]} failed`;
  return (await runTool({ title, command: 'git', args, cwd: ROOT, ...(signal && { signal }) })).trim();
}

/** @returns undefined if the history of this clone is too short */
async function commitBack(back: number, signal: AbortSignal): Promise<string | undefined> {
  const args = ['rev-list', '--first-parent', `--max-count=${back + 1}`, 'HEAD'];
  const commits = await git(signal, ...args).catch((error: unknown) => {
    if (error instanceof Interrupted) throw error;
    return ''; // No git, or no repository.
  });
  return commits.split('\n')[back];
}

/** @returns a working tree of that commit, with the packages of this one if they are the same */
async function checkOut(commit: string, stack: Stack, signal: AbortSignal): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'shop-older-'));
  const folder = join(parent, 'shop');
  stack.push('', async () => {
    await rm(parent, { recursive: true, force: true });
    // Not with the signal, which may have been aborted.
    await git(undefined, 'worktree', 'prune');
  });
  await git(signal, 'worktree', 'add', '--detach', folder, commit);
  say(`The older services: ${await git(signal, 'log', '-1', '--format=%h %s', commit)}`);
  if ((await git(signal, 'diff', '--name-only', commit, '--', 'package-lock.json')) === '')
    for (const workspace of ['', 'service-kit', ...SERVICES.map(({ name }) => name)]) {
      const modules = join(workspace, 'node_modules');
      if (existsSync(join(ROOT, modules)))
        await cp(join(ROOT, modules), join(folder, modules), { recursive: true, verbatimSymlinks: true });
    }
  return folder;
}

/**
 * Databases with the schema of this commit.
 * @param serverUrl of the superuser
 * @returns the variables by which `npm start` finds them
 */
async function migrateAll(serverUrl: string, signal: AbortSignal): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const { name, database, urlVariable } of SERVICES) {
    await withConnection(serverUrl, (client) => client.query(`CREATE DATABASE ${database}`));
    const url = Object.assign(new URL(serverUrl), { pathname: `/${database}` }).href;
    const env = { ...process.env, DATABASE_URL: url };
    say((await migrate({ name, env, signal })).trim());
    found[urlVariable] = url;
  }
  return found;
}

/** The shop installs and builds itself first. */
async function untilReady(urls: string[], shop: Launched, signal: AbortSignal) {
  const isReady = async (url: string) => (await fetch(`${url}/ready`)).ok;
  const responds = () =>
    Promise.all(urls.map(isReady)).then(
      (all) => all.every(Boolean),
      () => false,
    );
  if (await untilResponding(shop, { limitMs: READY_WITHIN_MS, signal, responds })) return;
  throw new Failure(`The older shop has ended, or is not ready within ${READY_WITHIN_MS / 60_000} minutes.`);
}
