import { join } from 'node:path';
import { Failure, Interrupted } from '../failure.js';
import { tryLock } from '../lock.js';
import { portProblem } from '../ports.js';
import { prepareCheckout } from '../prepare.js';
import { DATA, SERVICES } from '../shop.js';
import { aborted, stopSignal } from '../signals.js';
import { createStack } from '../stack.js';
import { say } from '../terminal.js';
import { removeAllData, stopLeftovers } from './leftovers.js';
import { openShop } from './open-shop.js';
import { HELP, parseOptions, readDatabaseUrls, readPorts } from './options.js';
import { removeRun } from './run-file.js';

/** @param {string[]} args */
export async function main(args) {
  const options = parseOptions(args);
  if (options.help) {
    say(HELP);
    return 0;
  }
  const ports = readPorts(process.env);
  const databaseUrls = readDatabaseUrls(process.env);
  const signal = stopSignal();
  const lock = await tryLock(join(DATA, 'start.lock'));
  if ('holder' in lock) {
    throw new Failure(
      `The shop is already running from this folder (process ${lock.holder}). Stop it first.`,
    );
  }
  const stack = createStack();
  stack.push('', lock.release);
  try {
    await stopLeftovers();
    if (options.fresh) await removeAllData();
    await requireFreePorts(ports);
    await prepareCheckout({ signal });
    stack.push('', removeRun);
    const { gaveUp } = await openShop({ ports, databaseUrls, stack, signal });
    await Promise.race([aborted(signal), gaveUp]);
    return 0;
  } catch (error) {
    if (error instanceof Interrupted) return 0;
    throw error;
  } finally {
    if (signal.aborted) say('');
    await stack.unwind((title) => say(`Stopping ${title} …`));
    if (signal.aborted) say('Stopped.');
  }
}

/** @param {Record<string, number>} ports */
async function requireFreePorts(ports) {
  for (const { name, portVariable } of SERVICES) {
    const port = ports[name] ?? 0;
    const problem = await portProblem(port);
    if (!problem) continue;
    const reason = problem === 'EACCES' ? 'may not be used by you' : 'is in use by another program';
    throw new Failure(
      `Port ${port} of ${name} ${reason}. Free it, or choose another: ${portVariable}=${port < 5000 ? 6001 : port + 1000} npm start`,
    );
  }
}
