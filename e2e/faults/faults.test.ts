import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { startProcess } from '../support/process.ts';

const ROUNDS = '12';
const RUN = ['--conditions=@shop/source', '--import', 'tsx', 'run.ts', '--rounds', ROUNDS];

test('a dozen rounds of faults break no invariant', async () => {
  const rounds = startProcess('node', RUN, { cwd: fileURLToPath(new URL('.', import.meta.url)) });
  await rounds.ended();
  expect(rounds.output()).toMatch(/^violations 0$/m);
}, 300_000);
