import type { Scheduler } from 'fast-check';

/**
 * What becomes of one request over the network: `lost` never arrives; `deaf` is carried out, but its response is lost;
 * `late` is carried out some time after its sender gave up; `twice` is carried out again some time later.
 */
export const FATES = ['ok', 'lost', 'deaf', 'late', 'twice'] as const;
export type Fate = (typeof FATES)[number];

/** One life of a process, from its start to its crash. */
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
  /** Taken in order; when they are used up everything is `ok`. */
  fates: Fate[];
}

/** Every arrival and every response is a step of the scheduler, so that any two may change places. */
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
    // A dead process does nothing more with what it gets.
    if (life.isOver()) await new Promise<never>(() => undefined);
    return settled();
  }

  return {
    step,
    /** A statement of this process. The driver repeats nothing; whether it was committed is unknown after an error. */
    query: <T>(life: Life, execute: () => T): Promise<T> =>
      call(life, execute, () => new Lost('connection lost'), false),
    /** A request to another service; the wire may deliver it twice. */
    request: <T>(life: Life, execute: () => T, giveUp: () => Error): Promise<T> =>
      call(life, execute, giveUp, true),
    /** From now on nothing is lost and nothing waits. */
    calmDown() {
      calm = true;
    },
  };
}

export type Network = ReturnType<typeof createNetwork>;

const ignore = () => undefined;

/** Carries it out now, and returns or throws later. */
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
