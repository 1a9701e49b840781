import { setTimeout as sleep } from 'node:timers/promises';

/** How late a change may show on another replica, in milliseconds (the HTTP contract). */
export const CONTRACT = 1000;

/** Expects it to be so at the latest by a read that begins when the time is over. */
export async function within(milliseconds: number, expectation: () => PromiseLike<unknown>): Promise<void> {
  const end = Date.now() + milliseconds;
  while (Date.now() < end) {
    const isSo = await Promise.resolve(expectation()).then(
      () => true,
      () => false,
    );
    if (isSo) return;
    await sleep(20);
  }
  await expectation();
}
