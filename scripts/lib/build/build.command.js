import { Failure } from '../failure.js';
import { prepareCheckout } from '../prepare.js';
import { stopSignal } from '../signals.js';
import { say } from '../terminal.js';

const HELP = `npm run build            generate the database clients and compile what has changed
npm run build -- --force build everything`;

/** @param {string[]} args */
export async function main(args) {
  if (args.includes('--help')) {
    say(HELP);
    return 0;
  }
  const unknown = args.find((arg) => arg !== '--force');
  if (unknown !== undefined) throw new Failure(`Unknown argument: ${unknown}\n${HELP}`);
  const built = await prepareCheckout({ signal: stopSignal(), force: args.includes('--force') });
  if (!built) say('Nothing has changed since the last build.');
  return 0;
}
