import type { CacheStore } from './cache-store.ts';
import type { RedisConnection } from './connect.ts';

/**
 * How soon ending a group is tried again after Redis did not take it, in milliseconds. A Redis that was slow for once is
 * asked by others meanwhile: they must not read for a second what was ended.
 */
const RETRY = 100;
/** Groups that Redis is told of at once: as many as it surely takes within the time limit of a command. */
const PORTION = 200;

interface EndsOptions {
  store: CacheStore;
  redis: RedisConnection | undefined;
  /** Milliseconds after which nobody asks any more when a group ended. */
  keptFor: number;
  newId: () => string;
}

/** Which groups this process has ended, when, and which of them Redis has still to be told. */
export function createEnds({ store, redis, keptFor, newId }: EndsOptions) {
  /** By group, by the clock of `performance.now()`; in the order of their ends. */
  const endedAt = new Map<string, number>();
  /** By group, which call wants it ended: one that is done must not forget a later one. */
  const unsent = new Map<string, symbol>();
  let retry: NodeJS.Timeout | undefined;

  // What was taken is not sent again when a later portion fails: however much has gathered, it gets less.
  const send = async (groups: string[], again?: 'again') => {
    for (let i = 0; i < groups.length; i += PORTION) {
      const wanted = groups.slice(i, i + PORTION).map((group) => [group, unsent.get(group)] as const);
      await store.end(
        wanted.map(([group]) => group),
        newId,
        again,
      );
      for (const [group, call] of wanted) if (unsent.get(group) === call) unsent.delete(group);
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
    for (const [group, at] of endedAt) {
      if (now - at < keptFor) break;
      endedAt.delete(group);
    }
    const call = Symbol('end');
    for (const group of groups) {
      endedAt.delete(group);
      endedAt.set(group, now);
      unsent.set(group, call);
    }
  };
  return {
    /** When this process ended a group, if it was lately. */
    endedAt: (group: string) => endedAt.get(group) ?? Number.NEGATIVE_INFINITY,

    /** Redis may be back before the next try is due: it must know what has ended before it is asked for it. */
    async sent(group: string): Promise<void> {
      if (retry !== undefined && unsent.has(group)) await send([group]);
    },

    /** @returns false when Redis could not be told; it is told as soon as it can be */
    async end(groups: string[]): Promise<boolean> {
      note(groups);
      return send(groups).then(
        () => true,
        () => {
          sendLater();
          return false;
        },
      );
    },
  };
}
