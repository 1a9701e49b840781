import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { times } from '@shop/service-kit/testing/depth';
import { startProcess } from '../support/process.ts';

const ROUNDS = times(6, 12);
const RUN = ['--conditions=@shop/source', '--import', 'tsx', 'run.ts', '--rounds', String(ROUNDS)];

test(`no invariant is violated in ${ROUNDS} rounds of faults`, async () => {
  const rounds = startProcess('node', RUN, { cwd: fileURLToPath(new URL('.', import.meta.url)) });
  await rounds.ended();
  expect(rounds.output()).toMatch(/^violations 0$/m);
});
