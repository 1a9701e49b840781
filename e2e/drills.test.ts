import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { startProcess } from './support/process.ts';
import { testServer } from './support/stack.ts';

const DRILLS = 'queue-lock,migrate';
const RUN = ['--conditions=@shop/source', '--import', 'tsx', 'scripts/drills/run.ts', DRILLS];

/** Those that need no engine but those of the tests; `npm run drill -- all` runs the others. */
test(`the drills ${DRILLS} lose no order`, async () => {
  const env = { TEST_DATABASE_URL: testServer('TEST_DATABASE_URL') };
  const drills = startProcess('node', RUN, { cwd: fileURLToPath(new URL('..', import.meta.url)), env });
  await drills.ended();
  expect(drills.output()).toMatch(/^No order was lost, and all sums are right\.$/m);
}, 300_000);
