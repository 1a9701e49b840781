import { build } from '../build.js';
import startServers from './global-setup.js';
import { provideNginx } from './servers.js';

/** Jest's globalSetup of e2e, whose tests run the built services as processes. */
export default async function setUp() {
  const { signal } = new AbortController();
  await startServers();
  await provideNginx(signal);
  await build({ signal });
}
