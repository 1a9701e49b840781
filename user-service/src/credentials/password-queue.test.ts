import { expect, test } from '@jest/globals';
import { concurrentPasswords } from './password-queue.ts';

test.each([
  [8, 4, 5],
  [4, 8, 3],
  [4, 1, 2],
  [1, 1, 1],
])('%s threads on %s cores work on %s passwords at once', (threads, cores, expected) => {
  expect(concurrentPasswords(threads, cores)).toBe(expected);
});
