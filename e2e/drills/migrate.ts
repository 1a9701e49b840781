import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applyMigrations } from '@shop/service-kit/postgres/migrate';
import { Client } from 'pg';
import { sleep } from '../support/process.ts';
import { folderOf } from '../support/service-database.ts';
import { startDrillShop, underLoad } from './drill.shop.ts';
import { ask } from './postgres.server.ts';

const READ_FOR = 10_000;
const ADD = 'ALTER TABLE orders ADD COLUMN drilled TEXT;';
const FAIL = 'ALTER TABLE orders ADD COLUMN drilled_too TEXT; ALTER TABLE nothing ADD COLUMN x INT;';

/**
 * An ALTER TABLE that waits behind a read of ten seconds, applied by three runners at once, and a migration that fails:
 * buyers never wait behind them for longer than the runner waits for a lock.
 */
export async function migrate() {
  const shop = await startDrillShop();
  const url = shop.databases.order;
  const prismaFolder = await mkdtemp(join(tmpdir(), 'shop-drill-migrations-'));
  await cp(join(folderOf('order-service'), 'prisma'), prismaFolder, { recursive: true });
  const add = async (name: string, sql: string) => {
    await mkdir(join(prismaFolder, 'migrations', name));
    await writeFile(join(prismaFolder, 'migrations', name, 'migration.sql'), sql);
  };
  const run = () => applyMigrations({ connectionString: url, prismaFolder });
  const reader = new Client({ connectionString: url });
  await reader.connect();
  try {
    return await underLoad({
      shop,
      async strike() {
        await add('29990101000000_add', ADD);
        const reading = reader.query(
          `SELECT count(*), pg_sleep(${READ_FOR / 1000}) FROM (SELECT FROM orders LIMIT 1) AS o`,
        );
        await sleep(200);
        const applied = (await Promise.all([run(), run(), run()])).flat();
        await reading;
        await add('29990102000000_fail', FAIL);
        const failure = await run().then(
          () => 'no failure',
          (error: Error) => error.message.split('\n')[0],
        );
        const columns = await ask(
          url,
          `SELECT column_name FROM information_schema.columns WHERE table_name = 'orders' AND column_name LIKE 'drilled%'`,
        );
        if (applied.join() !== '29990101000000_add' || columns.length !== 1)
          throw new Error(`applied ${applied.join()}, ${columns.length} columns, ${failure}`);
        return { faults: 3, notes: [`three runners applied it once; the other one: ${failure}`] };
      },
    });
  } finally {
    await reader.end();
    await shop.stack.close();
    await rm(prismaFolder, { recursive: true, force: true });
  }
}
