import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { concurrentPasswords, createPasswordQueue } from './password-queue.ts';

test.each([
  [8, 4, 5],
  [4, 8, 3],
  [4, 1, 2],
  [1, 1, 1],
])('%s threads on %s cores work on %s passwords at once', (threads, cores, expected) => {
  expect(concurrentPasswords(threads, cores)).toBe(expected);
});

describe('the queue of password requests', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  test('lets 500 requests wait for 10 s, and refuses more', async () => {
    const queue = createPasswordQueue(1);
    const endless = new Promise<never>(() => undefined);
    void queue(() => endless);
    const refused: number[] = [];
    const waiting = Array.from({ length: 500 }, (_, i) =>
      queue(() => endless).catch(() => void refused.push(i)),
    );
    await expect(queue(() => endless)).rejects.toMatchObject({ code: 'busy' });
    await jest.advanceTimersByTimeAsync(9999);
    expect(refused).toHaveLength(0);
    await jest.advanceTimersByTimeAsync(1);
    await Promise.all(waiting);
    expect(refused).toHaveLength(500);
  });
});
