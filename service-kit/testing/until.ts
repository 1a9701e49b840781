import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until a condition is true, for as long as a slow machine may need. @param limit milliseconds */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  limit = 200_000,
): Promise<void> {
  const end = Date.now() + limit;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`Waited in vain for: ${what}`);
    await sleep(20);
  }
}
