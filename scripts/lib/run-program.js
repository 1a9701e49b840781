import { build } from './build.js';
import { runInForeground } from './processes.js';
import { ROOT } from './shop.js';
import { stopSignal } from './signals.js';
import { createStack } from './stack.js';
import { openServers } from './test/servers.js';

/**
 * Builds the services and runs a TypeScript program of this repository in the foreground.
 * @param {object} options
 * @param {string} options.program path from the root
 * @param {string[]} options.args
 * @param {number} options.graceMs that it gets to stop
 * @param {string[]} [options.settings] of a PostgreSQL that is started for it, together with a Redis; without them it gets none
 * @param {NodeJS.ProcessEnv} [options.env] defaults of its environment
 * @returns {Promise<number>} its exit code
 */
export async function runProgram({ program, args, graceMs, settings, env }) {
  const signal = stopSignal();
  const stack = createStack();
  try {
    await build({ signal });
    const servers = settings && (await openServers({ stack, signal, settings }));
    return await runInForeground({
      command: process.execPath,
      args: ['--conditions=@shop/source', '--import', 'tsx', program, ...args],
      cwd: ROOT,
      env: { ...env, ...process.env, ...servers },
      signal,
      graceMs,
    });
  } finally {
    await stack.unwind();
  }
}
