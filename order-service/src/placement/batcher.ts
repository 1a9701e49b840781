import { remainingTime, withOwnTime } from '@shop/service-kit/deadline/deadline';
import { OutOfTime } from '@shop/service-kit/errors/http-errors';
import { currentSpan, inSpan, type Span } from '@shop/service-kit/tracing/span';

interface BatcherOptions<Item, Result> {
  /** The name of an item's span in traces. */
  name: string;
  /** Does the work of a batch, all items of one group. Returns one result for each item, in the same order. */
  run(items: Item[]): Promise<Result[]>;
  /** The largest number of items and the largest weight of a batch; a heavier item is sent alone. */
  most: { items: number; weight: number };
  weightOf(item: Item): number;
  /** An item whose caller has fewer milliseconds left is not sent. */
  least: number;
  /** Whether an error proves that the batch had no effect, so that the items may be repeated one by one. */
  wasNotDone?(error: unknown): boolean;
  /** A batch contains items of one group only, and no group waits for another one. */
  groupOf?(item: Item): number;
  /** Milliseconds after which a running batch no longer delays the next one of its group. */
  lateAfter?: number;
  /** Batches of all groups that may run in parallel. */
  concurrency?: number;
  /** A batch of fewer than `enough()` items waits for more, for at most so many milliseconds. */
  gather?: { enough(): number; most: number };
}

/** @throws OutOfTime at the caller's deadline; if the item was already sent, its outcome is unknown */
export interface Batcher<Item, Result> {
  (item: Item): Promise<Result>;
  /** How many items are not sent yet. */
  queued(): number;
  /** How many items are not settled yet. */
  unsettled(): number;
}

interface Entry<Item, Result> {
  readonly item: Item;
  /** When it came, in milliseconds of `performance.now()`. */
  readonly since: number;
  /** In the same unit; Infinity without a deadline. */
  readonly deadline: number;
  /** From here until it is settled. */
  readonly span: Span | undefined;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
  isSettled: boolean;
}

/**
 * Lets callers share one round trip: items that arrive in one turn of the event loop are sent together, and items that arrive
 * while a batch is running wait for the next one. So a single item is sent immediately, unless `gather` makes it wait.
 *
 * An item is waiting, then sent with others, then settled; its caller's deadline settles it in any state. `ahead` holds the
 * latest batch of each group, which the next one waits for until it ends or is late. Several batches of one group run in
 * parallel only while each is slow, so that a slow service does not delay anyone twice.
 */
export function createBatcher<Item, Result>({
  name,
  run,
  most,
  weightOf,
  least,
  wasNotDone = () => false,
  groupOf = () => 0,
  lateAfter = Number.POSITIVE_INFINITY,
  concurrency = 1,
  gather = { enough: () => 0, most: 0 },
}: BatcherOptions<Item, Result>): Batcher<Item, Result> {
  type Waiting = Entry<Item, Result>;
  /** By group; the group that has waited longest is first. */
  const waiting = new Map<number, Waiting[]>();
  const ahead = new Map<number, Waiting[]>();
  let running = 0;
  let isTurnEnding = false;
  let isGathering = false;
  let unsettled = 0;

  const mayBeSent = ({ isSettled, deadline, reject }: Waiting) => {
    if (isSettled) return false;
    if (deadline - performance.now() >= least) return true;
    reject(new OutOfTime());
    return false;
  };

  /** Takes the next batch of a group, which may be empty; items that do not fit stay. */
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
    const sent = inSpan(leadOf(batch), () => withOwnTime(limit, () => run(batch.map(({ item }) => item))));
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
    const startNext = () => {
      if (ahead.get(group) === batch) ahead.delete(group);
      runNext();
    };
    ahead.set(group, batch);
    running += 1;
    const timer = Number.isFinite(lateAfter) ? setTimeout(startNext, lateAfter).unref() : undefined;
    await send(batch);
    clearTimeout(timer);
    running -= 1;
    startNext();
  }

  function runNext(): void {
    for (const [group, queue] of waiting) {
      if (running >= concurrency) return;
      if (!ahead.has(group) && !waitsForMore(queue)) void runGroup(group);
    }
  }

  function waitsForMore(queue: Waiting[]): boolean {
    const left = (queue[0]?.since ?? 0) + gather.most - performance.now();
    if (left <= 0 || queue.length >= gather.enough()) return false;
    if (!isGathering) {
      isGathering = true;
      setTimeout(() => {
        isGathering = false;
        runNext();
      }, left).unref();
    }
    return true;
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
      const since = performance.now();
      const left = remainingTime() ?? Number.POSITIVE_INFINITY;
      const timer = Number.isFinite(left)
        ? setTimeout(() => settle(reject, new OutOfTime()), left).unref()
        : undefined;
      const settle = <T>(how: (value: T) => void, value: T) => {
        if (entry.isSettled) return;
        entry.isSettled = true;
        unsettled -= 1;
        clearTimeout(timer);
        entry.span?.end({}, how === reject ? value : undefined);
        how(value);
      };
      const entry: Waiting = {
        item,
        since,
        deadline: since + left,
        span: currentSpan()?.start(name, 'internal'),
        resolve: (result) => settle(resolve, result),
        reject: (error) => settle(reject, error),
        isSettled: false,
      };
      unsettled += 1;
      const group = groupOf(item);
      const queue = waiting.get(group);
      if (queue === undefined) waiting.set(group, [entry]);
      else queue.push(entry);
      runNextAfterTurn();
    });
  const queued = () => [...waiting.values()].reduce((sum, queue) => sum + queue.length, 0);
  return Object.assign(add, { queued, unsettled: () => unsettled });
}

/** The span that shows the work of a batch; those of its other items link to it. */
function leadOf(batch: readonly Pick<Entry<unknown, unknown>, 'span'>[]): Span | undefined {
  const spans = batch.flatMap(({ span }) => span ?? []);
  const lead = spans.find(({ isRecorded }) => isRecorded) ?? spans[0];
  for (const span of spans) if (lead !== undefined && span !== lead) span.linkTo(lead);
  return lead;
}
