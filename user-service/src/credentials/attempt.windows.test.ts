import { beforeEach, describe, expect, test } from '@jest/globals';
import { createLocalWindows } from './attempt.windows.ts';

const SECOND = 1000;
const DAY = 86_400_000;

let now: number;
let windows: ReturnType<typeof createLocalWindows>;
beforeEach(() => {
  now = 5 * DAY;
  windows = createLocalWindows(() => now);
});

const counted = (key: string, max = 2, seconds = 10) => ({ key, max, seconds });
const take = (...keys: string[]) => windows.take(keys.map((key) => counted(key)));
/** @returns milliseconds until the window ends */
function fill(key: string): number {
  for (let i = 0; i < 100; i += 1) if (take(key) > 0) return take(key);
  throw new Error(`${key} is never full`);
}

describe('a window in memory', () => {
  test('takes as many as it may, until the millisecond in which it ends', () => {
    expect([take('a'), take('a'), take('a')]).toEqual([0, 0, 10 * SECOND]);
    now += 10 * SECOND - 1;
    expect(take('a')).toBe(1);
    now += 1;
    expect(take('a')).toBe(0);
  });

  test('is twice as long after a full one, up to four times', () => {
    for (const seconds of [10, 20, 40, 40]) {
      expect(fill('a')).toBe(seconds * SECOND);
      now += seconds * SECOND;
    }
  });

  test('keeps its length after one that was not full', () => {
    take('a');
    now += 10 * SECOND;
    expect(fill('a')).toBe(10 * SECOND);
  });

  test('is as long as the first after a day without an attempt', () => {
    now += fill('a') + DAY - 1;
    expect(fill('a')).toBe(20 * SECOND);
    now += 20 * SECOND + DAY;
    expect(fill('a')).toBe(10 * SECOND);
  });

  test('that is full keeps others from counting; the last to end decides the wait', () => {
    now += fill('long');
    expect(fill('long')).toBe(20 * SECOND);
    expect(fill('short')).toBe(10 * SECOND);
    expect(take('long', 'short')).toBe(20 * SECOND);
    expect(take('short', 'other')).toBe(10 * SECOND);
    expect([take('other'), take('other')]).toEqual([0, 0]);
  });

  test('is given back without ever falling below zero', () => {
    take('a');
    windows.giveBack(['unknown', 'a'], false);
    windows.giveBack(['a'], false);
    expect([take('a'), take('a'), take('a')]).toEqual([0, 0, 10 * SECOND]);
  });

  test('returns to the first length after one that is forgiven, for the first key only', () => {
    for (const key of ['a', 'b', 'c']) fill(key);
    now += 10 * SECOND;
    take('a', 'b', 'c');
    windows.giveBack(['a', 'b'], true);
    windows.giveBack(['c'], false);
    for (const key of ['a', 'b', 'c']) fill(key);
    now += 20 * SECOND;
    expect(['a', 'b', 'c'].map(fill)).toEqual([20 * SECOND, 40 * SECOND, 40 * SECOND]);
  });

  test('is forgotten on request', () => {
    fill('a');
    windows.forget('a');
    expect(take('a')).toBe(0);
  });

  test('is kept for 10,000 keys', () => {
    fill('a');
    for (let i = 1; i < 10_000; i += 1) take(`other ${i}`);
    expect(take('a')).toBe(10 * SECOND);
    take('one more');
    expect(take('a')).toBe(0);
  });
});
