import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { programOf } from './drills/engines.ts';
import { startProcess } from './support/process.ts';
import { testServer } from './support/stack.ts';

/** The drills that take a few seconds each, by the program that they need. `npm run drill -- all` runs the others too. */
const DRILLS = {
  'redis-server': ['redis-replica'],
  haproxy: ['rolling', 'kill'],
  pgbouncer: ['pgbouncer'],
};
const drills = ['queue-lock', 'migrate', ...Object.entries(DRILLS).flatMap(whereThereIs)].join();
const RUN = ['--conditions=@shop/source', '--import', 'tsx', 'e2e/drills/run.ts', drills];

function whereThereIs([program, names]: [string, string[]]): string[] {
  try {
    programOf(program);
    return names;
  } catch (error) {
    console.warn(`SKIPPED: ${names.join()}. ${(error as Error).message}`);
    return [];
  }
}

test(`the drills ${drills} lose no order`, async () => {
  const run = startProcess('node', RUN, {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { TEST_DATABASE_URL: testServer('TEST_DATABASE_URL'), TIME_LIMIT_FACTOR: '4' },
  });
  const code = await run.ended();
  expect({ code, output: run.output() }).toMatchObject({
    code: 0,
    output: expect.stringContaining('No order was lost, and all sums are right.'),
  });
}, 600_000);
