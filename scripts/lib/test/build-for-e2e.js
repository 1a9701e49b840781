import { build } from '../build.js';
import startServers from './global-setup.js';

/** Jest's globalSetup of e2e, whose tests run the built services as processes. */
export default async function setUp() {
  await startServers();
  await build({ signal: new AbortController().signal });
}
