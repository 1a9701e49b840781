import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../scripts/lib/shop.ts';
import { call } from '../support/http.ts';
import { sleep, until } from '../support/process.ts';
import { JWT_SECRET, SERVICE_SECRET, type ServiceProcess } from '../support/stack.ts';
import { closing, type DrillShop, startDrillShop, underLoad } from './drill.shop.ts';
import { engineFolder, programOf } from './engines.ts';
import type { Orders } from './order.load.ts';
import { startArchivedPostgres } from './postgres.archive.ts';
import { ask } from './postgres.server.ts';

const run = promisify(execFile);
/** Milliseconds of orders that the backup does not have. */
const AFTER_BACKUP = 3000;
const FIRST_ACCOUNT = 1000;
const ALL = ['user-service', 'product-service', 'order-service'] as const;

/** What docs/high-availability.md says about dumps: the custom format, restored in one transaction. */
async function createBackups() {
  const folder = await engineFolder('backup');
  const file = join(folder.path, 'dump');
  return {
    take: (url: string) => run(programOf('pg_dump'), ['--format=custom', `--file=${file}`, url]),
    async restore({ databaseUrl }: ServiceProcess) {
      await ask(databaseUrl, 'DROP SCHEMA public, jobs, graphile_worker CASCADE');
      await ask(databaseUrl, 'CREATE SCHEMA public');
      const flags = ['--no-owner', '--no-comments', '--single-transaction', '--exit-on-error'];
      await run(programOf('pg_restore'), [...flags, `--dbname=${databaseUrl}`, file]).catch(
        (error: { stderr?: string }) => {
          throw new Error(`pg_restore failed: ${error.stderr}`);
        },
      );
    },
    remove: folder.remove,
  };
}

/** `npm run restore -- reconcile`. Exit code 2, something to decide, is no failure of the command. */
async function reconcile({ stack }: DrillShop): Promise<string> {
  const env = {
    ...process.env,
    USER_DATABASE_URL: stack.user.databaseUrl,
    PRODUCT_DATABASE_URL: stack.product.databaseUrl,
    ORDER_DATABASE_URL: stack.order.databaseUrl,
    PRODUCT_SERVICE_URL: stack.product.url,
    SERVICE_TOKEN_SECRET: SERVICE_SECRET,
    JWT_SECRET_KEY: JWT_SECRET,
  };
  const args = ['scripts/run.js', 'deploy/restore/restore.command.ts', 'reconcile'];
  const { stdout } = await run(process.execPath, args, { cwd: ROOT, env });
  return stdout;
}

interface Restored {
  service: 'product-service' | 'order-service';
  /** The orders of buyers that this restore loses. */
  forget: (orders: Orders, kept: Set<number>) => void;
}

/** A database comes back from a backup that is some seconds older than the other one; then both must agree again. */
async function restoreOne({ service, forget }: Restored) {
  const shop = await startDrillShop({ only: [...ALL] });
  const backups = await createBackups();
  const restored = service === 'order-service' ? shop.stack.order : shop.stack.product;
  try {
    return await underLoad({
      shop,
      async strike(orders) {
        await backups.take(restored.databaseUrl);
        await sleep(AFTER_BACKUP);
        await orders.pause();
        await restored.stop();
        await backups.restore(restored);
        await restored.start();
        const rows = await ask(shop.databases.order, `SELECT id FROM orders WHERE placement = 'PLACED'`);
        const before = orders.seen.accepted.length;
        forget(orders, new Set(rows.map(({ id }) => Number(id))));
        const output = await reconcile(shop);
        const ids = new Set(orders.seen.accepted);
        orders.resume();
        const report = output.split('\n').filter((line) => /(were|goes on)/.test(line));
        return { faults: 1, notes: [`the backup had ${ids.size} of ${before} orders`, ...report] };
      },
    });
  } finally {
    await shop.stack.close();
    await backups.remove();
  }
}

/** Orders since the backup are gone with it: no command brings them back, but their stock must be. */
export const restoreOrders = () =>
  restoreOne({
    service: 'order-service',
    forget: ({ seen }, kept) => {
      seen.accepted = seen.accepted.filter((id) => kept.has(id));
    },
  });

/** Orders exist whose reservations are missing from the restored stock: they must be reserved again. */
export const restoreProducts = () => restoreOne({ service: 'product-service', forget: () => undefined });

/** Whoever registered after the backup must not become somebody else's account. */
export async function restoreUsers() {
  const shop = await startDrillShop({ only: [...ALL] });
  const backups = await createBackups();
  const { user } = shop.stack;
  // The buyers, whose sessions go on, have lower ids.
  await ask(user.databaseUrl, `SELECT setval('users_id_seq', ${FIRST_ACCOUNT})`);
  const register = async () => {
    const username = `drill-${randomUUID().slice(0, 8)}`;
    const account = { username, email: `${username}@example.com`, password: 'a-password-of-drills-7' };
    const { status, body, text } = await call('POST', `${user.url}/api/users/register`, account);
    if (status !== 201) throw new Error(`register: ${text}`);
    return { id: Number(body['user']?.['id']), token: String(body['tokens']?.['access_token']) };
  };
  const isSignedIn = async (token: string) =>
    (await call('GET', `${user.url}/api/users/me`, undefined, { token })).status === 200;
  try {
    return await underLoad({
      shop,
      async strike() {
        const old = await register();
        await backups.take(user.databaseUrl);
        const lost = await register();
        if (!(await isSignedIn(old.token))) throw new Error('a new account is not signed in');
        await user.stop();
        await backups.restore(user);
        await user.start();
        await reconcile(shop);
        const next = await register();
        if (next.id === lost.id) throw new Error(`the id ${lost.id} was given out twice`);
        await until('old sessions have ended', async () => !(await isSignedIn(old.token)), 20_000);
        return {
          faults: 1,
          notes: [`id ${lost.id} was lost, the next one is ${next.id}; all sessions have ended`],
        };
      },
    });
  } finally {
    await shop.stack.close();
    await backups.remove();
  }
}

/** After a mistake all databases return to the moment before it, by the archive of the WAL. Nothing has to be reconciled. */
export async function restoreMoment() {
  const server = await startArchivedPostgres();
  const shop = await startDrillShop({ postgresUrlOf: () => server.url }).catch(closing(server.close));
  const services = [shop.stack.order, shop.stack.product];
  const lines = async () =>
    Number((await ask(shop.databases.order, 'SELECT count(*)::int AS count FROM order_lines'))[0]?.['count']);
  try {
    return await underLoad({
      shop,
      async strike(orders) {
        await server.backUp();
        await sleep(AFTER_BACKUP);
        await orders.pause();
        const before = await lines();
        const [now] = await ask(server.url, 'SELECT clock_timestamp()::text AS moment');
        await ask(shop.databases.order, 'DELETE FROM order_lines');
        await Promise.all(services.map((service) => service.stop()));
        await server.restoreTo(String(now?.['moment']));
        await Promise.all(services.map((service) => service.start()));
        const after = await lines();
        if (after !== before) throw new Error(`${after} lines of orders came back, of ${before}`);
        orders.resume();
        return { faults: 1, notes: [`all ${before} lines of orders, which were deleted, came back`] };
      },
    });
  } finally {
    await shop.stack.close();
    await server.close();
  }
}
