import { join } from 'node:path';
import { buildAll } from './build/build-all.js';
import { ensureInstalled } from './install.js';
import { waitForLock } from './lock.js';
import { DATA } from './shop.js';
import { say } from './terminal.js';

/**
 * Installs and builds what is missing or stale. npm start and npm test at the same time wait for each other here.
 * @param {{ signal: AbortSignal, force?: boolean }} options
 * @returns {Promise<boolean>} whether anything had to be built
 */
export async function prepareCheckout({ signal, force = false }) {
  const lock = await waitForLock(join(DATA, 'prepare.lock'), {
    signal,
    onWait: (pid) => say(`Another process (${pid}) is installing or building here; waiting for it …`),
  });
  try {
    await ensureInstalled({ signal });
    return await buildAll({ signal, force });
  } finally {
    await lock.release();
  }
}
