import { join } from 'node:path';
import { runProgram } from '../../scripts/lib/run-program.ts';

export const HELP = `npm run test:faults                     300 rounds of clients and faults, with a new seed
npm run test:faults -- --rounds 1000    more of them
npm run test:faults -- --seed 7         the faults of that seed again
npm run test:faults -- --seed 7 --first 41 --rounds 1    one round of them`;
/** Time limit for stopping the servers of the rounds. */
const GRACE_MS = 60_000;

export const main = (args: string[]) =>
  runProgram({ program: join('e2e', 'faults', 'run.ts'), args, graceMs: GRACE_MS });
