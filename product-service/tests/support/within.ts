import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds after which a change must be visible on another replica (docs/http-api.md). */
export const VISIBLE_WITHIN = 1000;

/** Repeats an expectation until it holds, at the latest when the time is over. */
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
