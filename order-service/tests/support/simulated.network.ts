import type { Scheduler } from 'fast-check';

/**
 * The fate of a request: `lost` never arrives; `deaf` is executed, but its response is lost; `late` is executed some time
 * after its sender gave up; `twice` is executed again some time later.
 */
export const FATES = ['ok', 'lost', 'deaf', 'late', 'twice'] as const;
export type Fate = (typeof FATES)[number];

/** A process from its start to its crash. */
export interface Life {
  readonly isOver: () => boolean;
  /** Rejects at the crash. */
  readonly crashed: Promise<never>;
  crash(): void;
}

export class Lost extends Error {}

export function createLife(): Life {
  let over = false;
  let reject: (error: Error) => void = () => undefined;
  const crashed = new Promise<never>((_, fail) => {
    reject = fail;
  });
  crashed.catch(() => undefined);
  return {
    isOver: () => over,
    crashed,
    crash() {
      over = true;
      reject(new Lost('crashed'));
    },
  };
}

interface NetworkOptions {
  scheduler: Scheduler;
  /** Used in order; afterwards every request is `ok`. */
  fates: Fate[];
}

/** Every arrival and every response is a step of the scheduler, which may reorder them. */
export function createNetwork({ scheduler, fates }: NetworkOptions) {
  let next = 0;
  let calm = false;
  const step = () => (calm ? Promise.resolve() : scheduler.schedule(Promise.resolve()));
  const fateOf = (duplicates: boolean): Fate => {
    const fate = calm ? 'ok' : (fates[next++] ?? 'ok');
    return fate === 'twice' && !duplicates ? 'ok' : fate;
  };

  async function exchange<T>(execute: () => T, giveUp: () => Error, fate: Fate): Promise<T> {
    if (fate === 'late') void step().then(step).then(execute).catch(ignore);
    if (fate === 'lost' || fate === 'late') {
      await step();
      throw giveUp();
    }
    await step();
    const response = attempt(execute);
    if (fate === 'twice') void step().then(execute).catch(ignore);
    await step();
    if (fate === 'deaf') throw giveUp();
    return response();
  }

  async function call<T>(life: Life, execute: () => T, giveUp: () => Error, duplicates: boolean): Promise<T> {
    const outcome = exchange(execute, giveUp, fateOf(duplicates)).then(
      (response) => () => response,
      (error: unknown) => () => {
        throw error;
      },
    );
    const settled = await outcome;
    // A crashed process ignores responses.
    if (life.isOver()) await new Promise<never>(() => undefined);
    return settled();
  }

  return {
    step,
    /** A statement. The driver does not repeat it; after an error it is unknown whether it was committed. */
    query: <T>(life: Life, execute: () => T): Promise<T> =>
      call(life, execute, () => new Lost('connection lost'), false),
    /** A request to another service; it may be delivered twice. */
    request: <T>(life: Life, execute: () => T, giveUp: () => Error): Promise<T> =>
      call(life, execute, giveUp, true),
    /** From now on nothing is lost or delayed. */
    calmDown() {
      calm = true;
    },
  };
}

export type Network = ReturnType<typeof createNetwork>;

const ignore = () => undefined;

/** Executes it now, and returns or throws later. */
function attempt<T>(execute: () => T): () => T {
  try {
    const response = execute();
    return () => response;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}
