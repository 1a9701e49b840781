import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../scripts/lib/failure.ts';
import { runProgram } from '../scripts/lib/run-program.ts';
import { ROOT } from '../scripts/lib/shop.ts';
import { PROCESS_SETTINGS } from '../service-kit/process-settings.js';

export const HELP = `npm run bench              the same as: npm run bench -- catalogue
npm run bench -- catalogue lists, products, me and orders per second, compared with bare node:http, Express and pg
npm run bench -- browse    the share of a visitor's reads that query the database, and that none is stale
npm run bench -- orders    orders per second, compared with the same statements sent by bare pg
npm run bench -- outage    order-service while product-service is stopped, paused or late
npm run bench -- slow      orders and quotes while product-service is 700 ms late: no response takes longer than 2 s
npm run bench -- import    100,000 products in, changed, out and in again: seconds, and memory over the time
npm run bench -- hostile   uploads made to exhaust product-service: the responses to them, and peak memory
npm run bench -- scale     lists and searches among 1,000 to 1,000,000 products; draws docs/catalogue-latency.svg
npm run bench -- login     logins per second, compared with bare bcrypt at the same cost, and 200 of them at once
npm run bench -- expiry    10,000 idempotency keys that expire each minute: how many are left, and memory
npm run bench -- sessions  revoking all sessions of a user who has 60,000
npm run bench -- narrow    stock in the product's row, compared with a table of its own: batches per second, and WAL
npm run bench -- calls     processor time of a call between services, compared with plain axios and bare node:http
npm run bench -- tracing   processor time of an order and of a read, with traces off and on
BENCH_SECONDS=10           how long each figure is measured
BENCH_ONLY='^(me|orders),' which calls of "catalogue" or baskets of "orders", as a regular expression
BENCH_SIZES=1000,10000     catalogues of other sizes`;
// As durable as in production: the cost of a commit is part of what is measured.
const SETTINGS = ['max_connections=200', 'shared_preload_libraries=pg_stat_statements'];
const GRACE_MS = 10_000;

export async function main([name = 'catalogue', ...rest]: string[]) {
  const program = join('bench', `${name}.ts`);
  const isBench = /^[a-z]+$/.test(name) && existsSync(join(ROOT, program));
  if (!isBench || rest.length > 0) throw new Failure(`There is no such measurement.\n${HELP}`);
  const { UV_THREADPOOL_SIZE } = PROCESS_SETTINGS;
  return runProgram({
    program,
    args: [],
    settings: SETTINGS,
    env: { UV_THREADPOOL_SIZE },
    graceMs: GRACE_MS,
  });
}
