import { once } from 'node:events';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from '../lib/build.ts';
import { Failure, Interrupted } from '../lib/failure.ts';
import { takeLock, UNTIL_STALE_MS } from '../lib/lock.ts';
import { portProblem } from '../lib/ports.ts';
import { removeData } from '../lib/postgres/data-folder.ts';
import { shutDownRedis } from '../lib/redis-server.ts';
import { DATA, type PerService, SERVICES } from '../lib/shop.ts';
import { stopSignal } from '../lib/signals.ts';
import { createStack } from '../lib/stack.ts';
import { openShop, POSTGRES_DATA } from '../lib/start/open-shop.ts';
import { parseOptions, readDatabaseUrls, readPorts } from '../lib/start/options.ts';
import { readRun, removeRun } from '../lib/start/run-file.ts';
import { say } from '../lib/terminal.ts';

export { HELP } from '../lib/start/options.ts';

export async function main(args: string[]) {
  const options = parseOptions(args);
  const ports = readPorts(process.env);
  const databaseUrls = readDatabaseUrls(process.env);
  const signal = stopSignal();
  const stack = createStack();
  try {
    stack.push('', await onlyStart(signal));
    const left = await readRun().catch(() => undefined);
    if (left?.redis) await shutDownRedis(left.redis);
    if (options.fresh) await removeAllData();
    await requireFreePorts(ports);
    await build(signal);
    stack.push('', removeRun);
    const { gaveUp } = await openShop({ ports, databaseUrls, watch: options.watch, stack, signal });
    await Promise.race([once(signal, 'abort'), gaveUp]);
    return 0;
  } catch (error) {
    if (error instanceof Interrupted) return 0;
    throw error;
  } finally {
    if (signal.aborted) say('');
    await stack.unwind((title) => say(`Stopping ${title} …`));
    if (signal.aborted) say('Stopped.');
  }
}

async function onlyStart(signal: AbortSignal) {
  const release = await takeLock(join(DATA, 'start.lock'), { signal, waitMs: UNTIL_STALE_MS });
  if (release) return release;
  const pid = (await readRun().catch(() => undefined))?.pid;
  throw new Failure(
    `The shop is already running from this folder${pid ? ` (process ${pid})` : ''}. Stop it first.`,
  );
}

/** Deletes the files of earlier starts, except the locks. */
async function removeAllData() {
  await removeData(POSTGRES_DATA);
  const rest = (await readdir(DATA)).filter((name) => !name.includes('.lock'));
  for (const name of rest) await rm(join(DATA, name), { recursive: true, force: true });
}

async function requireFreePorts(ports: PerService<number>) {
  for (const { name, portVariable } of SERVICES) {
    const port = ports[name];
    const problem = await portProblem(port);
    if (!problem) continue;
    const reason = problem === 'EACCES' ? 'may not be used by you' : 'is in use by another program';
    throw new Failure(
      `Port ${port} of ${name} ${reason}. Free it, or choose another: ${portVariable}=${port < 5000 ? 6001 : port + 1000} npm start`,
    );
  }
}
