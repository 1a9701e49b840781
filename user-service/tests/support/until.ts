import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for something to become true. @param limit milliseconds */
export async function until(what: string, condition: () => Promise<boolean>, limit = 15_000): Promise<void> {
  const end = Date.now() + limit;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`Waited in vain for: ${what}`);
    await sleep(20);
  }
}
