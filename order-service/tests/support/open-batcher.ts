import { remainingTime } from '@shop/service-kit/deadline/deadline';
import { createBatcher } from '../../src/placement/batcher.ts';

interface Sent {
  items: string[];
  /** Time limit of the batch in milliseconds. */
  limit: number | undefined;
  end(error?: Error): void;
}

interface BatcherOptions {
  groupOf?: (item: string) => number;
  concurrency?: number;
  lateAfter?: number;
  gather?: { enough(): number; most: number };
  /** Otherwise the message `refused` says so. */
  wasNotDone?: 'by default';
}

const isRefusal = (error: unknown) => (error as Error).message === 'refused';

/** A batcher of texts whose weight is their length, and the batches it sent, each running until `end` is called. */
export function openBatcher({ wasNotDone, ...options }: BatcherOptions = {}) {
  const sent: Sent[] = [];
  const add = createBatcher<string, string>({
    name: 'exclaim',
    run: (items) =>
      new Promise((resolve, reject) => {
        const end = (error?: Error) =>
          error === undefined ? resolve(items.map((item) => `${item}!`)) : reject(error);
        sent.push({ items, limit: remainingTime(), end });
      }),
    most: { items: 4, weight: 10 },
    weightOf: (item) => item.length,
    least: 50,
    ...(wasNotDone === undefined && { wasNotDone: isRefusal }),
    ...options,
  });
  const outcome = (item: string) =>
    add(item).catch((error: { code?: string } & Error) => error.code ?? error.message);
  const { queued, unsettled } = add;
  return { outcome, sent, batches: () => sent.map(({ items }) => items), queued, unsettled };
}

/** Waits until callbacks that are due have run. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));
