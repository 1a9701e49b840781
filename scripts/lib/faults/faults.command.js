import { join } from 'node:path';
import { Interrupted } from '../failure.js';
import { prepareCheckout } from '../prepare.js';
import { killGroup, launch } from '../processes.js';
import { ROOT } from '../shop.js';
import { stopSignal } from '../signals.js';
import { say } from '../terminal.js';

const HELP = `npm run test:faults                     300 rounds of clients and faults, with a new seed
npm run test:faults -- --rounds 1000    more of them
npm run test:faults -- --seed 7         the faults of that seed again
npm run test:faults -- --seed 7 --first 41 --rounds 1    one round of them`;

const INTERRUPTED_BY_USER = 130;
/** The rounds stop their own servers; this is for when they do not. */
const STOP_TIMEOUT_MS = 60_000;

/** @param {string[]} args */
export async function main(args) {
  if (args.includes('--help')) {
    say(HELP);
    return 0;
  }
  const signal = stopSignal();
  try {
    await prepareCheckout({ signal });
    return await runRounds(args, signal);
  } catch (error) {
    if (error instanceof Interrupted) return INTERRUPTED_BY_USER;
    throw error;
  }
}

/**
 * @param {string[]} args
 * @param {AbortSignal} signal
 */
async function runRounds(args, signal) {
  const { pid, child, exited } = launch({
    command: process.execPath,
    args: ['--conditions=@shop/source', '--import', 'tsx', join('faults', 'run.ts'), ...args],
    cwd: join(ROOT, 'e2e'),
    stdio: 'inherit',
  });
  signal.addEventListener('abort', () => {
    child.kill('SIGTERM');
    setTimeout(() => killGroup(pid, 'SIGKILL'), STOP_TIMEOUT_MS).unref();
  });
  const { code } = await exited;
  signal.throwIfAborted();
  return code ?? 1;
}
