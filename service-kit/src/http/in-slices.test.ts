import type { IncomingMessage, ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { inSlices } from './in-slices.ts';

/** Longer than a slice, so that each turn of the event loop starts only one. */
const WORK = 15;
const request = {} as IncomingMessage;
const responseOf = (destroyed = false) => ({ destroyed }) as ServerResponse;

function keepBusy(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

test('spreads requests that arrive together over several turns of the event loop, in their order', async () => {
  const events: string[] = [];
  const names = new Map<ServerResponse, string>();
  const listener = inSlices((_request, response) => {
    events.push(names.get(response) ?? '');
    keepBusy(WORK);
  });
  for (const name of ['a', 'b', 'c']) {
    const response = responseOf();
    names.set(response, name);
    listener(request, response);
  }
  expect(events).toEqual(['a']);
  for (let turn = 0; turn < 3; turn += 1) {
    await nextTurn();
    events.push('turn');
  }
  expect(events.filter((event) => event !== 'turn')).toEqual(['a', 'b', 'c']);
  expect(events.indexOf('c') - events.indexOf('b')).toBe(2);
});

test('does not start a request whose client has disconnected', async () => {
  const begun: ServerResponse[] = [];
  const listener = inSlices((_request, response) => {
    begun.push(response);
    keepBusy(WORK);
  });
  const [first, left] = [responseOf(), responseOf(true)];
  listener(request, first);
  listener(request, left);
  await nextTurn();
  await nextTurn();
  expect(begun).toEqual([first]);
});

test('starts requests that arrive one after the other immediately', async () => {
  const begun: ServerResponse[] = [];
  const listener = inSlices((_request, response) => void begun.push(response));
  for (let count = 1; count <= 3; count += 1) {
    listener(request, responseOf());
    expect(begun).toHaveLength(count);
    await nextTurn();
  }
});
