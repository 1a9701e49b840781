import { join } from 'node:path';
import { runProgram } from '../../scripts/lib/run-program.ts';
import { say } from '../../scripts/lib/terminal.ts';

export const HELP = `npm run drill -- all               everything below, one after the other
npm run drill -- rolling           two replicas of product-service and order-service are replaced one by one
npm run drill -- kill              kill -9 of each of these replicas
npm run drill -- failover orders   kill -9 of the primary database of orders; its standby is promoted
npm run drill -- failover products the same for products
npm run drill -- failover standby  kill -9 of the synchronous standby
npm run drill -- queue-lock        the tables of the job queue are locked
npm run drill -- restore orders    the database of orders comes back from an older backup
npm run drill -- restore products  the same for products
npm run drill -- restore users     the same for users
npm run drill -- restore moment    all databases go back to the moment before a mistake, from the archive of the WAL
npm run drill -- redis-replica     Redis becomes a replica, and a primary again
npm run drill -- redis-sentinel    kill -9 of the primary Redis; Sentinels promote its replica
npm run drill -- pgbouncer         everything through PgBouncer in transaction mode, which is killed once
npm run drill -- migrate           a migration behind a long read, one that fails, and three runners at once
Several are separated by commas. Each starts servers of its own on 127.0.0.1, breaks them while 20 orders a second are
placed, and compares both databases with the responses that buyers got. It needs PostgreSQL, HAProxy, PgBouncer and Redis:
apt-get install --no-install-recommends postgresql haproxy pgbouncer redis-server`;
const SETTINGS = ['max_connections=200', 'fsync=off'];
const GRACE_MS = 60_000;

export async function main(args: string[]) {
  if (args.length > 0)
    return runProgram({
      program: join('e2e', 'drills', 'run.ts'),
      args,
      settings: SETTINGS,
      graceMs: GRACE_MS,
    });
  say(HELP);
  return 1;
}
