import type { CacheStore, NewVersion } from './cache-store.ts';
import type { RedisConnection } from './connect.ts';

/**
 * How soon invalidating a group is tried again after Redis did not take it, in milliseconds. A Redis that was slow for once is
 * asked by others meanwhile: they must not read for a second what was invalidated.
 */
const RETRY = 100;
/** Groups that Redis is told of at once: as many as it surely takes within the time limit of a command. */
const PORTION = 200;

interface InvalidationOptions {
  store: CacheStore;
  redis: RedisConnection | undefined;
  /** Milliseconds after which nobody asks any more when a group was invalidated. */
  keptFor: number;
  newId: () => string;
}

/** Which groups this process has invalidated, when, and which of them Redis has still to be told. */
export function createInvalidation({ store, redis, keptFor, newId }: InvalidationOptions) {
  /** By group, by the clock of `performance.now()`; in the order of their invalidation. */
  const invalidatedAt = new Map<string, number>();
  /** By group, which call wants it invalidated: one that is done must not forget a later one. */
  const unsent = new Map<string, symbol>();
  let retry: NodeJS.Timeout | undefined;

  // What was taken is not sent again when a later portion fails: however much has gathered, it gets less.
  const send = async (groups: string[], again?: 'again') => {
    for (let i = 0; i < groups.length; i += PORTION) {
      const portion = groups.slice(i, i + PORTION).map((group) => [group, unsent.get(group)] as const);
      await store.invalidate(
        portion.map(([group]) => group),
        newId,
        again,
      );
      for (const [group, call] of portion) if (unsent.get(group) === call) unsent.delete(group);
    }
  };
  const sendAll = (again?: 'again') => send([...unsent.keys()], again);
  // A Redis that was paused keeps its connections: other replicas read what it holds as soon as it goes on.
  const sendLater = () => {
    if (retry !== undefined) return;
    retry = setTimeout(() => {
      retry = undefined;
      sendAll('again').catch(sendLater);
    }, RETRY).unref();
  };
  redis?.client.on('ready', () => void sendAll().catch(() => undefined));

  const note = (groups: string[]) => {
    const now = performance.now();
    for (const [group, at] of invalidatedAt) {
      if (now - at < keptFor) break;
      invalidatedAt.delete(group);
    }
    for (const group of groups) {
      invalidatedAt.delete(group);
      invalidatedAt.set(group, now);
    }
  };
  const want = (groups: string[]) => {
    const call = Symbol('invalidate');
    for (const group of groups) unsent.set(group, call);
  };
  const wasSent = async (sending: Promise<unknown>): Promise<boolean> => {
    try {
      await sending;
      return true;
    } catch {
      sendLater();
      return false;
    }
  };
  return {
    /** When this process invalidated a group, if it was lately. */
    invalidatedAt: (group: string) => invalidatedAt.get(group) ?? Number.NEGATIVE_INFINITY,

    /**
     * Redis may be back before the next try is due: it must know what was invalidated before it is asked for it.
     * @returns whether there was something to be told
     */
    async sent(groups: readonly string[]): Promise<boolean> {
      const missing = retry === undefined ? [] : groups.filter((group) => unsent.has(group));
      if (missing.length > 0) await send(missing);
      return missing.length > 0;
    },

    /** @returns false when Redis could not be told; it is told as soon as it can be */
    invalidate(groups: string[]): Promise<boolean> {
      note(groups);
      want(groups);
      return wasSent(send(groups));
    },

    /** @returns false when Redis could not be told; then the groups are invalidated as soon as it can be */
    async replace(versions: NewVersion[]): Promise<boolean> {
      const groups = versions.map(({ group }) => group);
      note(groups);
      const wasTaken = await wasSent(Promise.all(versions.map(store.replace)));
      // An invalidation that is still to be sent stays so: it may be of a later version.
      if (!wasTaken) want(groups);
      return wasTaken;
    },
  };
}

export type Invalidation = ReturnType<typeof createInvalidation>;
