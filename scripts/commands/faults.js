import { join } from 'node:path';
import { build } from '../lib/build.js';
import { INTERRUPTED_BY_USER, Interrupted } from '../lib/failure.js';
import { runInForeground } from '../lib/processes.js';
import { ROOT } from '../lib/shop.js';
import { stopSignal } from '../lib/signals.js';
import { say } from '../lib/terminal.js';

const HELP = `npm run test:faults                     300 rounds of clients and faults, with a new seed
npm run test:faults -- --rounds 1000    more of them
npm run test:faults -- --seed 7         the faults of that seed again
npm run test:faults -- --seed 7 --first 41 --rounds 1    one round of them`;
/** Time limit for stopping the servers of the rounds. */
const GRACE_MS = 60_000;

/** @param {string[]} args */
export async function main(args) {
  if (args.includes('--help')) {
    say(HELP);
    return 0;
  }
  const signal = stopSignal();
  try {
    await build({ signal });
    return await runInForeground({
      command: process.execPath,
      args: ['--conditions=@shop/source', '--import', 'tsx', join('faults', 'run.ts'), ...args],
      cwd: join(ROOT, 'e2e'),
      signal,
      graceMs: GRACE_MS,
    });
  } catch (error) {
    if (error instanceof Interrupted) return INTERRUPTED_BY_USER;
    throw error;
  }
}
