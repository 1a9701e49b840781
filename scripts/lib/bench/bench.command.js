import { join } from 'node:path';
import { Failure, Interrupted } from '../failure.js';
import { prepareCheckout } from '../prepare.js';
import { killGroup, launch } from '../processes.js';
import { ROOT } from '../shop.js';
import { stopSignal } from '../signals.js';
import { createStack } from '../stack.js';
import { say } from '../terminal.js';
import { openServers } from '../test/servers-for-tests.js';

const BENCHES = ['catalogue', 'browse', 'orders', 'outage', 'import', 'scale'];
const HELP = `npm run bench              the same as: npm run bench -- catalogue
npm run bench -- catalogue lists, products, me and orders per second, beside bare node:http, Express and pg
npm run bench -- browse    which share of a visitor's reads asks the database, and that none is stale
npm run bench -- orders    orders per second, beside the same statements sent by bare pg
npm run bench -- outage    order-service while product-service is stopped, paused or late
npm run bench -- import    100,000 products in, changed, out and in again: seconds, and memory over the time
npm run bench -- scale     lists and searches among 1,000 to 1,000,000 products; draws docs/catalogue-latency.svg
BENCH_SECONDS=10           how long each figure is measured
BENCH_SIZES=1000,10000     catalogues of other sizes`;

const INTERRUPTED_BY_USER = 130;
// As durable as in production: what a commit costs is part of what is measured.
const SETTINGS = ['max_connections=200', 'shared_preload_libraries=pg_stat_statements'];

/** @param {string[]} args */
export async function main(args) {
  const [name = 'catalogue', ...rest] = args;
  if (name === '--help') {
    say(HELP);
    return 0;
  }
  if (!BENCHES.includes(name) || rest.length > 0) throw new Failure(`There is no such measurement.\n${HELP}`);
  const signal = stopSignal();
  const stack = createStack();
  try {
    await prepareCheckout({ signal });
    const { env } = await openServers({ stack, signal, settings: SETTINGS });
    const { pid, child, exited } = launch({
      command: process.execPath,
      args: ['--conditions=@shop/source', '--import', 'tsx', join('bench', `${name}.ts`)],
      cwd: ROOT,
      env,
      stdio: 'inherit',
    });
    stack.push('', async () => killGroup(pid, 'SIGKILL'));
    signal.addEventListener('abort', () => child.kill('SIGTERM'));
    const { code } = await exited;
    signal.throwIfAborted();
    return code ?? 1;
  } catch (error) {
    if (error instanceof Interrupted) return INTERRUPTED_BY_USER;
    throw error;
  } finally {
    await stack.unwind();
  }
}
