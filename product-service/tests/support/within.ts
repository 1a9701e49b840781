import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds after which a change must be visible on another replica (docs/http-api.md). */
export const VISIBLE_WITHIN = 1000;

/** How much slower a busy machine may be. A response that should have been invalidated stays wrong for minutes. */
const SLOWNESS = 20;

/** Repeats an expectation until it holds. @param milliseconds what is promised; a busy machine may take longer */
export async function within(milliseconds: number, expectation: () => PromiseLike<unknown>): Promise<void> {
  const end = Date.now() + milliseconds * SLOWNESS;
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
