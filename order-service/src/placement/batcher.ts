import { remainingTime, withOwnTime } from '@shop/service-kit/deadline/deadline';
import { OutOfTime } from '@shop/service-kit/errors/http-errors';

interface BatcherOptions<Item, Result> {
  /** The work for a whole batch of one group. Returns one result for each item, in the same order. */
  run(items: Item[]): Promise<Result[]>;
  /** A batch has at most so many items and so much weight; an item that is heavier goes alone. */
  most: { items: number; weight: number };
  weightOf(item: Item): number;
  /** An item whose caller has fewer milliseconds left is not sent any more. */
  least: number;
  /** Whether an error says for certain that nothing was done, so that the items may be sent again one by one. */
  wasNotDone?(error: unknown): boolean;
  /** Only items of one group go together, and no group waits for another one. */
  groupOf?(item: Item): number;
  /** A batch that is under way for so many milliseconds does not keep the next one of its group waiting any longer. */
  lateAfter?: number;
  /** Batches of all groups that may be under way together. */
  atOnce?: number;
}

/** @throws OutOfTime at the caller's deadline; the outcome of an item that was sent by then is not known */
export interface Batcher<Item, Result> {
  (item: Item): Promise<Result>;
  /** How many items are not sent yet. */
  queued(): number;
}

interface Entry<Item, Result> {
  readonly item: Item;
  /** In milliseconds of `performance.now()`; Infinity without a deadline. */
  readonly deadline: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
  isSettled: boolean;
}

/**
 * Lets callers share one round trip. No timer gathers items: what arrives in one turn of the event loop goes together, and
 * while a batch is under way, items that arrive wait for the next one. So a lone item goes at once.
 *
 * An item is `waiting`, then `sent` with others, then `settled`; its caller's deadline settles it in any state.
 * A group is `idle`, or `ahead` is its youngest batch, which the next one waits for: until it ends or is late. Several
 * batches of one group are under way only while each takes long, so that a slow partner delays nobody twice.
 */
export function createBatcher<Item, Result>({
  run,
  most,
  weightOf,
  least,
  wasNotDone = () => false,
  groupOf = () => 0,
  lateAfter = Number.POSITIVE_INFINITY,
  atOnce = 1,
}: BatcherOptions<Item, Result>): Batcher<Item, Result> {
  type Waiting = Entry<Item, Result>;
  /** By group; the group that has waited longest comes first. */
  const waiting = new Map<number, Waiting[]>();
  const ahead = new Map<number, Waiting[]>();
  let underWay = 0;
  let isTurnEnding = false;

  const mayBeSent = ({ isSettled, deadline, reject }: Waiting) => {
    if (isSettled) return false;
    if (deadline - performance.now() >= least) return true;
    reject(new OutOfTime());
    return false;
  };

  /** The next batch of a group, which may be empty; what does not fit stays. */
  function take(group: number): Waiting[] {
    const queue = (waiting.get(group) ?? []).filter(mayBeSent);
    let weight = 0;
    const end = queue.slice(0, most.items).findIndex(({ item }, index) => {
      weight += weightOf(item);
      return index > 0 && weight > most.weight;
    });
    const batch = queue.splice(0, end === -1 ? most.items : end);
    waiting.delete(group);
    if (queue.length > 0) waiting.set(group, queue);
    return batch;
  }

  async function send(batch: Waiting[]): Promise<void> {
    const limit = Math.max(...batch.map(({ deadline }) => deadline)) - performance.now();
    const sent = withOwnTime(limit, () => run(batch.map(({ item }) => item)));
    await sent.then(
      (results) => {
        for (const [index, { resolve }] of batch.entries()) resolve(results[index] as Result);
      },
      (error: unknown) => {
        if (batch.length > 1 && wasNotDone(error)) return sendOneByOne(batch);
        for (const { reject } of batch) reject(error);
        return undefined;
      },
    );
  }

  async function sendOneByOne(batch: Waiting[]): Promise<void> {
    for (const entry of batch) if (mayBeSent(entry)) await send([entry]);
  }

  async function runGroup(group: number): Promise<void> {
    const batch = take(group);
    if (batch.length === 0) return;
    const letNextGo = () => {
      if (ahead.get(group) === batch) ahead.delete(group);
      runNext();
    };
    ahead.set(group, batch);
    underWay += 1;
    const timer = Number.isFinite(lateAfter) ? setTimeout(letNextGo, lateAfter).unref() : undefined;
    await send(batch);
    clearTimeout(timer);
    underWay -= 1;
    letNextGo();
  }

  function runNext(): void {
    for (const group of waiting.keys()) {
      if (underWay >= atOnce) return;
      if (!ahead.has(group)) void runGroup(group);
    }
  }

  function runNextAfterTurn(): void {
    if (isTurnEnding) return;
    isTurnEnding = true;
    setImmediate(() => {
      isTurnEnding = false;
      runNext();
    });
  }

  const add = (item: Item): Promise<Result> =>
    new Promise((resolve, reject) => {
      const left = remainingTime() ?? Number.POSITIVE_INFINITY;
      const timer = Number.isFinite(left)
        ? setTimeout(() => settle(reject, new OutOfTime()), left).unref()
        : undefined;
      const settle = <T>(how: (value: T) => void, value: T) => {
        if (entry.isSettled) return;
        entry.isSettled = true;
        clearTimeout(timer);
        how(value);
      };
      const entry: Waiting = {
        item,
        deadline: performance.now() + left,
        resolve: (result) => settle(resolve, result),
        reject: (error) => settle(reject, error),
        isSettled: false,
      };
      const group = groupOf(item);
      const queue = waiting.get(group);
      if (queue === undefined) waiting.set(group, [entry]);
      else queue.push(entry);
      runNextAfterTurn();
    });
  const queued = () => [...waiting.values()].reduce((sum, queue) => sum + queue.length, 0);
  return Object.assign(add, { queued });
}
