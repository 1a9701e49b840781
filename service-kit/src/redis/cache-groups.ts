import { randomBytes } from 'node:crypto';
import type { RedisConnection } from './connect.ts';
import { gathered } from './gathered.ts';

/** Bytes of a finished response and their tag. */
export interface CachedBytes {
  readonly etag: string;
  readonly bytes: Buffer;
}

/** Null means that there is nothing, which is stored too. */
export type CacheValue = CachedBytes | null;

/** Entries that are invalidated together, and one of them. */
export interface CacheAddress {
  group: string;
  key: string;
}

/** The stored value; or the token that is required to store what is loaded from now on; or `changing`: load, and store nothing. */
export type Found = { value: CacheValue } | { token: string } | 'changing';

/** An entry to find. */
export interface Wanted extends CacheAddress {
  epoch: string;
  /** Of its group, in milliseconds, if there is none yet. */
  lifetime: number;
}

/**
 * A group is one hash: its entries; the `epoch` in which they were stored; the `token` that is handed out before a load
 * and required to store its result; and `changing`, the changes that are being committed. To invalidate a group is to
 * delete its hash, and the token with it: what was loaded before can no longer be stored. FLUSHALL has the same effect.
 * KEYS: groups. ARGV: new token, then for each group its epoch, its lifetime from now on, and the key of the entry.
 */
const FIND = `
local found = {}
for i, group in ipairs(KEYS) do
  local epoch, lifetime, key = ARGV[3 * i - 1], ARGV[3 * i], ARGV[3 * i + 1]
  local kept = redis.call('HMGET', group, 'changing', 'epoch', 'token', 'entry:' .. key)
  if kept[1] then
    found[i] = false
  elseif kept[2] == epoch then
    found[i] = kept[4] or { kept[3] }
  else
    redis.call('DEL', group)
    redis.call('HSET', group, 'epoch', epoch, 'token', ARGV[1])
    redis.call('PEXPIRE', group, lifetime)
    found[i] = { ARGV[1] }
  end
end
return found`;

/**
 * A full group is deleted: frequent entries are soon stored again, and entries that are requested once cannot fill it.
 * KEYS: group. ARGV: token, key, value, version or '', most entries of a group, lifetime where it is shorter or ''.
 */
const PUT = `
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
if redis.call('HLEN', KEYS[1]) > tonumber(ARGV[5]) then return redis.call('UNLINK', KEYS[1]) end
redis.call('HSET', KEYS[1], 'entry:' .. ARGV[2], ARGV[3], 'version', ARGV[4])
if ARGV[6] ~= '' then redis.call('PEXPIRE', KEYS[1], ARGV[6]) end
return 1`;

/** KEYS: groups. ARGV: milliseconds after which a change that did not end is over, 0 to end it; a change's name for each group. */
const CHANGE = `
local lasts = tonumber(ARGV[1])
for i, group in ipairs(KEYS) do
  local name = ARGV[i + 1] .. ' '
  local changing = redis.call('HGET', group, 'changing')
  local left = changing and redis.call('PTTL', group) or 0
  redis.call('DEL', group)
  changing = string.gsub(changing or '', name, '')
  if lasts > 0 then changing = changing .. name end
  if changing ~= '' then
    redis.call('HSET', group, 'changing', changing)
    redis.call('PEXPIRE', group, math.max(left, lasts))
  end
end
return 1`;

/** KEYS: groups. ARGV: new token, then for each group its version, its value and its lifetime. */
const REPLACE = `
for i, group in ipairs(KEYS) do
  local version, value, lifetime = ARGV[3 * i - 1], ARGV[3 * i], ARGV[3 * i + 1]
  local kept = redis.call('HMGET', group, 'version', 'entry:')
  local before = kept[2] and tonumber(kept[1])
  if before then
    redis.call('HSET', group, 'token', ARGV[1])
    if before < tonumber(version) then
      redis.call('HSET', group, 'version', version, 'entry:', value)
      redis.call('PEXPIRE', group, lifetime)
    end
  else
    redis.call('DEL', group)
  end
end
return 1`;

/** A change of one group, under a name that is used once. */
interface Change {
  group: string;
  name: string;
}

type Argument = string | number | Buffer;
interface Commands {
  cacheFindBuffer(...args: Argument[]): Promise<(Buffer | [Buffer] | null)[]>;
  cachePut(...args: Argument[]): Promise<number>;
  cacheChange(...args: Argument[]): Promise<number>;
  cacheReplace(...args: Argument[]): Promise<number>;
}

/** How long a change that did not end keeps its group out of use, in milliseconds: longer than a change can take. */
const LONGEST_CHANGE = 10_000;
/** The same for a change whose client no longer waits: a commit may wait for a standby, for which there is no time limit. */
const LONGEST_COMMIT = 60_000;
/** The most entries that one command asks for. */
const MAX_BATCH = 200;

/** Makes names that no other process makes, of letters, digits and colons: `CHANGE` uses them as patterns. */
function createNames(): () => string {
  const maker = randomBytes(9).toString('hex');
  let made = 0;
  return () => {
    made += 1;
    return `${maker}:${made}`;
  };
}

/** A name for a change, to be used once. */
export const newName = createNames();

/**
 * Groups of entries in Redis. All calls throw while Redis cannot be reached. Keys begin with the id of the server's run, so
 * that nothing is used that a restarted server has read from its disk.
 */
export function createCacheGroups({ client, run, insist, runId, prefix }: RedisConnection) {
  client.defineCommand('cacheFind', { lua: FIND });
  client.defineCommand('cachePut', { numberOfKeys: 1, lua: PUT });
  client.defineCommand('cacheChange', { lua: CHANGE });
  client.defineCommand('cacheReplace', { lua: REPLACE });
  const commands = client as unknown as Commands;
  const inRun = <T>(use: (keyOf: (group: string) => string) => Promise<T>, send = run): Promise<T> =>
    send(async () => {
      const id = await runId();
      return use((group) => `${prefix}cache:${id}:${group}`);
    });

  const newToken = createNames();
  const find = gathered(MAX_BATCH, (wanted: Wanted[]) =>
    inRun(async (keyOf) => {
      const found = await commands.cacheFindBuffer(
        wanted.length,
        ...wanted.map(({ group }) => keyOf(group)),
        newToken(),
        ...wanted.flatMap(({ epoch, lifetime, key }) => [epoch, lifetime, key]),
      );
      return found.map(toFound);
    }),
  );

  const changes = (lasts: number, send: typeof run) =>
    gathered(
      MAX_BATCH,
      (made: Change[]) =>
        inRun(async (keyOf) => {
          const groups = made.map(({ group }) => keyOf(group));
          const names = made.map(({ name }) => name);
          await commands.cacheChange(groups.length, ...groups, lasts, ...names);
          return names;
        }, send),
      process.nextTick,
    );

  return {
    /** All calls of one turn of the event loop share one command. */
    find,

    /** Stores what was loaded after the token was given, unless the group was invalidated meanwhile. */
    put: (
      { group, key, token }: CacheAddress & { token: string },
      value: CacheValue,
      options: { version?: number | undefined; maxEntries: number; lifetime?: number | undefined },
    ): Promise<number> =>
      inRun((keyOf) => {
        const { version = '', maxEntries, lifetime = '' } = options;
        return commands.cachePut(keyOf(group), token, key, toBytes(value), version, maxEntries, lifetime);
      }),

    /** Tries twice, as do `replace` and the end of a change. */
    invalidate: (groups: string[]): Promise<unknown> =>
      inRun((keyOf) => client.unlink(groups.map(keyOf)), insist),

    /**
     * Each invalidates the group; between begin and end nothing of it is used or stored. Changes that begin or end together
     * share one command.
     */
    beginChange: changes(LONGEST_CHANGE, run),
    endChange: changes(0, insist),
    /** In place of the end, for a change that may still be committed. */
    leaveChange: changes(LONGEST_COMMIT, insist),

    /**
     * Puts next versions in the place of entries with the key ''; where there is none, invalidates. Versions may come in
     * any order: the latest stays.
     */
    replace: (
      next: { group: string; value: CacheValue; version: number; lifetime: number }[],
    ): Promise<unknown> =>
      inRun(
        (keyOf) =>
          commands.cacheReplace(
            next.length,
            ...next.map(({ group }) => keyOf(group)),
            newToken(),
            ...next.flatMap(({ version, value, lifetime }) => [version, toBytes(value), lifetime]),
          ),
        insist,
      ),
  };
}

export type CacheGroups = ReturnType<typeof createCacheGroups>;

const END_OF_TAG = '\n'.charCodeAt(0);

/** The tag, a line's end, the bytes; nothing for null. */
const toBytes = (value: CacheValue): Buffer =>
  value === null ? Buffer.alloc(0) : Buffer.concat([Buffer.from(`${value.etag}\n`), value.bytes]);

function toFound(found: Buffer | [Buffer] | null): Found {
  if (found === null) return 'changing';
  if (Array.isArray(found)) return { token: String(found[0]) };
  if (found.length === 0) return { value: null };
  const end = found.indexOf(END_OF_TAG);
  return { value: { etag: found.toString('latin1', 0, end), bytes: found.subarray(end + 1) } };
}
