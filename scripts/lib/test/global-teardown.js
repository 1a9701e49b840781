import { stopServers } from './global-setup.js';

/** @param {{ watch: boolean, watchAll: boolean }} jest */
export default async function teardown({ watch, watchAll }) {
  if (!watch && !watchAll) await stopServers();
}
