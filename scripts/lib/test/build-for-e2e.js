import { build } from '../build.js';
import startServers from './global-setup.js';
import { provideChromium, provideProgram } from './servers.js';

/** Jest's globalSetup of e2e, whose tests run the built services as processes. */
export default async function setUp() {
  const { signal } = new AbortController();
  await startServers();
  for (const name of /** @type {const} */ (['nginx', 'prometheus', 'haproxy', 'pgbouncer']))
    await provideProgram(name, signal);
  process.env['CHROMIUM_PATH'] = await provideChromium(signal);
  await build({ signal });
}
