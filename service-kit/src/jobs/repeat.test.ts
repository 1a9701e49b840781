import { describe, expect, test } from '@jest/globals';
import { createLogger } from '../runtime/logger.ts';
import { repeat } from './repeat.ts';

const logger = createLogger('test', 'silent');

describe('repeat', () => {
  test('continues after a failure, never overlaps with itself, and stops when closed', async () => {
    let calls = 0;
    let running = 0;
    let most = 0;
    const third = new Promise<void>((resolve) => {
      const work = async () => {
        calls += 1;
        running += 1;
        most = Math.max(most, running);
        await new Promise((done) => setTimeout(done, 5));
        running -= 1;
        if (calls === 3) resolve();
        if (calls === 1) throw new Error('the first one fails');
      };
      repeated = repeat('work', 1, work, logger);
    });
    await third;
    await repeated?.close();
    const atClose = calls;
    await new Promise((done) => setTimeout(done, 30));
    expect([most, running, calls]).toEqual([1, 0, atClose]);
  });
});

let repeated: ReturnType<typeof repeat> | undefined;
