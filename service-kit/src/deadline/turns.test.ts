import { expect, test } from '@jest/globals';
import { Busy } from '../errors/http-errors.ts';
import { withinTime } from './deadline.ts';
import { createTurns } from './turns.ts';

/** Work that runs until `end` is called. */
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

test('runs as many as allowed at the same time, and the others in the order of arrival', async () => {
  const turns = createTurns({ concurrency: 2, maxWaiting: 10, maxWait: 10_000 });
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

test('refuses work immediately when the queue is full, and frees the place of work that fails', async () => {
  const turns = createTurns({ concurrency: 1, maxWaiting: 1, maxWait: 10_000 });
  const gate = opened();
  const first = outcome(turns(() => gate.run().then(() => Promise.reject(new Error('no')))));
  const second = outcome(turns(() => Promise.resolve()));
  expect(await outcome(turns(() => Promise.resolve()))).toBe('busy');
  gate.end();
  expect([await first, await second]).toEqual(['failed', 'done']);
});

test('refuses work that waited too long or whose request ran out of time, and never runs it', async () => {
  const gate = opened();
  const slow = createTurns({ concurrency: 1, maxWaiting: 5, maxWait: 60_000 });
  const quick = createTurns({ concurrency: 1, maxWaiting: 5, maxWait: 20 });
  const first = [slow(gate.run), quick(gate.run)];
  let ran = 0;
  const count = async () => {
    ran += 1;
  };
  expect(await outcome(withinTime(20, () => slow(count)))).toBe('busy');
  expect(await outcome(quick(count))).toBe('busy');
  gate.end();
  await Promise.all(first);
  expect(ran).toBe(0);
});
