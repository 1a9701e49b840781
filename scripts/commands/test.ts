import { join } from 'node:path';
import { runInForeground } from '../lib/processes.ts';
import { ROOT } from '../lib/shop.ts';
import { stopSignal } from '../lib/signals.ts';

export const HELP = `npm test                                             all tests, with coverage
npm test -- --watch                                  again at every change; the servers stay
npm test -- product-service/tests/stock.test.ts      one file
npm test -- --selectProjects order-service e2e       some workspaces
npm test -- -t 'refuses to go below zero'            some tests; every argument goes to Jest
The tests start a PostgreSQL and a Redis of their own. THOROUGH=true tries what is random more often.`;
const GRACE_MS = 30_000;

export const main = (args: string[]) =>
  runInForeground({
    command: process.execPath,
    args: [
      '--experimental-vm-modules',
      '--no-warnings',
      join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js'),
      // A part of the tests cannot reach the coverage threshold.
      ...(args.length > 0 ? args : ['--coverage']),
    ],
    cwd: ROOT,
    signal: stopSignal(),
    graceMs: GRACE_MS,
  });
