import { Client } from 'pg';
import { sleep } from '../support/process.ts';
import { startDrillShop, underLoad } from './drill.shop.ts';

const LOCKED_FOR = 5000;

/** Somebody locks the tables of the job queue. Orders that cannot write their job fail, and are tried again by their buyers. */
export async function queueLock() {
  const shop = await startDrillShop();
  const client = new Client({ connectionString: shop.databases.order });
  await client.connect();
  try {
    return await underLoad({
      shop,
      async strike() {
        await client.query('BEGIN; LOCK TABLE graphile_worker._private_jobs, graphile_worker._private_tasks');
        await sleep(LOCKED_FOR);
        await client.query('COMMIT');
        return { faults: 1 };
      },
    });
  } finally {
    await client.end();
    await shop.stack.close();
  }
}
