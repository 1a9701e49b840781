import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for something to become true, as long as a slow machine may need. */
export async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 60_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`Waited in vain for: ${what}`);
    await sleep(20);
  }
}
