import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, Interrupted } from '../failure.js';
import { prepareCheckout } from '../prepare.js';
import { ROOT } from '../shop.js';
import { stopSignal } from '../signals.js';
import { createStack } from '../stack.js';
import { paint, say } from '../terminal.js';
import { runJest } from './jest-run.js';
import { openServers } from './servers-for-tests.js';
import { printSummary } from './summary.js';

const WORKSPACES = ['service-kit', 'user-service', 'product-service', 'order-service', 'e2e'];
const INTERRUPTED_BY_USER = 130;
// The data is thrown away: nothing has to survive a power cut.
const SETTINGS = ['max_connections=200', 'fsync=off', 'synchronous_commit=off', 'full_page_writes=off'];

const HELP = `npm test                              every workspace's tests, on a PostgreSQL and a Redis of their own
npm test -- order-service e2e         some workspaces
npm test -- --testPathPatterns stock  further arguments go to jest`;

/** @param {string[]} args */
export async function main(args) {
  if (args.includes('--help')) {
    say(HELP);
    return 0;
  }
  const { workspaces, jestArgs } = choose(args);
  const signal = stopSignal();
  const stack = createStack();
  try {
    await prepareCheckout({ signal });
    const { folder, env } = await openServers({ stack, signal, settings: SETTINGS });
    const runs = [];
    for (const workspace of workspaces) {
      say(`\n${paint('bold', workspace)}`);
      runs.push(await runJest({ workspace, args: jestArgs, env, folder, signal }));
    }
    await stack.unwind();
    return printSummary(runs) ? 0 : 1;
  } catch (error) {
    if (error instanceof Interrupted) return INTERRUPTED_BY_USER;
    throw error;
  } finally {
    await stack.unwind((title) => say(`Stopping ${title} …`));
  }
}

/**
 * Names of workspaces come first, everything after them is jest's.
 * @param {string[]} args
 */
function choose(args) {
  const firstOther = args.findIndex((arg) => !WORKSPACES.includes(arg));
  const named = firstOther === -1 ? args : args.slice(0, firstOther);
  const jestArgs =
    firstOther === -1 ? [] : args.slice(firstOther).filter((arg, index) => index > 0 || arg !== '--');
  const hasTests = (/** @type {string} */ name) => existsSync(join(ROOT, name, 'jest.config.js'));
  const empty = named.find((name) => !hasTests(name));
  if (empty) throw new Failure(`${empty} has no tests (no ${empty}/jest.config.js).`);
  const workspaces = WORKSPACES.filter((name) => (named.length > 0 ? named.includes(name) : hasTests(name)));
  if (workspaces.length === 0) throw new Failure('No workspace has tests (a jest.config.js).');
  return { workspaces, jestArgs };
}
