import { expect, test } from '@jest/globals';
import { Busy } from '../errors/http-errors.ts';
import { withinTime } from './deadline.ts';
import { createTurns } from './turns.ts';

/** Work that ends when it is told to. */
function opened() {
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { run: () => ended, end: () => end() };
}
const outcome = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: unknown) => (error instanceof Busy ? 'busy' : 'failed'),
  );

test('so many run at once, the others in the order in which they came', async () => {
  const turns = createTurns({ atOnce: 2, waiting: 10, patience: 10_000 });
  const gates = Array.from({ length: 4 }, opened);
  const begun: number[] = [];
  const all = gates.map((gate, index) =>
    turns(() => {
      begun.push(index);
      return gate.run();
    }),
  );
  await Promise.resolve();
  expect(begun).toEqual([0, 1]);
  gates[1]?.end();
  await all[1];
  expect(begun).toEqual([0, 1, 2]);
  for (const gate of gates) gate.end();
  await Promise.all(all);
  expect(begun).toEqual([0, 1, 2, 3]);
});

test('whoever finds the queue full is turned away at once, and work that fails leaves its place', async () => {
  const turns = createTurns({ atOnce: 1, waiting: 1, patience: 10_000 });
  const gate = opened();
  const first = outcome(turns(() => gate.run().then(() => Promise.reject(new Error('no')))));
  const second = outcome(turns(() => Promise.resolve()));
  expect(await outcome(turns(() => Promise.resolve()))).toBe('busy');
  gate.end();
  expect([await first, await second]).toEqual(['failed', 'done']);
});

test('nobody waits longer than his patience or his request lasts, and whoever left is not run', async () => {
  const gate = opened();
  const patient = createTurns({ atOnce: 1, waiting: 5, patience: 60_000 });
  const impatient = createTurns({ atOnce: 1, waiting: 5, patience: 20 });
  const first = [patient(gate.run), impatient(gate.run)];
  let ran = 0;
  const count = async () => {
    ran += 1;
  };
  expect(await outcome(withinTime(20, () => patient(count)))).toBe('busy');
  expect(await outcome(impatient(count))).toBe('busy');
  gate.end();
  await Promise.all(first);
  expect(ran).toBe(0);
});
