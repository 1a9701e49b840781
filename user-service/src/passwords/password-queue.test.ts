import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { createPasswordQueue } from './password-queue.ts';

/** Work that runs until it is told to end. */
function work() {
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { run: () => ended, end };
}

describe('the password queue', () => {
  test('runs so many at once and the others in their order', async () => {
    const queue = createPasswordQueue({ atOnce: 2 });
    const finished: number[] = [];
    let running = 0;
    let most = 0;
    await Promise.all(
      [1, 2, 3, 4, 5, 6].map((number) =>
        queue.run(async () => {
          running += 1;
          most = Math.max(most, running);
          await sleep(10);
          running -= 1;
          finished.push(number);
        }),
      ),
    );
    expect(most).toBe(2);
    expect(finished).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('refuses at once what is over the bound, with Retry-After', async () => {
    const queue = createPasswordQueue({ atOnce: 1, maxWaiting: 1 });
    const slow = work();
    const running = queue.run(slow.run);
    const waiting = queue.run(async () => 'done');
    const refused = await queue.run(async () => 'never').catch((error: unknown) => error);
    expect(refused).toMatchObject({
      status: 503,
      code: 'busy',
      headers: { 'Retry-After': expect.any(String) },
    });
    slow.end();
    await running;
    await expect(waiting).resolves.toBe('done');
  });

  test('refuses who has waited too long, and is free again afterwards', async () => {
    const queue = createPasswordQueue({ atOnce: 1, maxWait: 20 });
    const slow = work();
    const running = queue.run(slow.run);
    await expect(queue.run(async () => 'never')).rejects.toMatchObject({ code: 'busy' });
    slow.end();
    await running;
    await expect(queue.run(async () => 'done')).resolves.toBe('done');
  });

  test('a failure makes room like a success', async () => {
    const queue = createPasswordQueue({ atOnce: 1 });
    const failing = queue.run(async () => {
      throw new Error('no');
    });
    const next = queue.run(async () => 'done');
    await expect(failing).rejects.toThrow('no');
    await expect(next).resolves.toBe('done');
  });
});
