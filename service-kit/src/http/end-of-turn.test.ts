import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { endOfTurn } from './end-of-turn.ts';

test('resolves when everything that arrived in this turn has been handled, for all that wait in one go', async () => {
  const events: string[] = [];
  const handle = async (name: string, steps: number) => {
    for (let step = 0; step < steps; step++) await Promise.resolve();
    events.push(`${name} handled`);
    await endOfTurn();
    events.push(`${name} sent`);
  };
  await Promise.all([handle('first', 1), handle('second', 5), handle('third', 3)]);
  expect(events).toEqual([
    'first handled',
    'third handled',
    'second handled',
    'first sent',
    'third sent',
    'second sent',
  ]);
});

test('a later turn ends later', async () => {
  const events: string[] = [];
  const first = endOfTurn().then(() => events.push('first'));
  await nextTurn();
  const second = endOfTurn().then(() => events.push('second'));
  await first;
  expect(events).toEqual(['first']);
  await second;
  expect(events).toEqual(['first', 'second']);
});
