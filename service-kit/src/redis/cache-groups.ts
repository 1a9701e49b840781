import { randomBytes } from 'node:crypto';
import type { RedisConnection } from './connect.ts';

/** Bytes of a finished response and their tag. */
export interface CachedBytes {
  readonly etag: string;
  readonly bytes: Buffer;
}

/** Null says that there is nothing, which is kept too. */
export type CacheValue = CachedBytes | null;

/** Entries that are invalidated together, and one of them. */
export interface CacheAddress {
  group: string;
  key: string;
}

/** What is kept; or the right to store what is loaded from now on; or `changing`: neither may be used. */
export type Found = { value: CacheValue } | { token: string } | 'changing';

/**
 * A group is one hash: its entries; the `epoch` in which they were stored; the `token` that whoever stores one must have
 * been given before the load; and `changing`, the changes that are being committed. To invalidate a group is to delete its
 * hash, and the token with it: what was loaded before cannot be stored any more. So it is after a FLUSHALL, too.
 * KEYS: groups. ARGV: epoch, new token, lifetime of a group from now on, then for each group the key of the entry.
 */
const FIND = `
local found = {}
for i, group in ipairs(KEYS) do
  local kept = redis.call('HMGET', group, 'changing', 'epoch', 'token', 'entry:' .. ARGV[3 + i])
  if kept[1] then
    found[i] = false
  elseif kept[2] == ARGV[1] then
    found[i] = kept[4] or { kept[3] }
  else
    redis.call('DEL', group)
    redis.call('HSET', group, 'epoch', ARGV[1], 'token', ARGV[2])
    redis.call('PEXPIRE', group, ARGV[3])
    found[i] = { ARGV[2] }
  end
end
return found`;

/** KEYS: group. ARGV: token, key, value, version or '', most entries of a group, lifetime where it is shorter or ''. */
const PUT = `
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] or redis.call('HLEN', KEYS[1]) > tonumber(ARGV[5]) then return 0 end
redis.call('HSET', KEYS[1], 'entry:' .. ARGV[2], ARGV[3], 'version', ARGV[4])
if ARGV[6] ~= '' then redis.call('PEXPIRE', KEYS[1], ARGV[6]) end
return 1`;

/** KEYS: group. ARGV: the change's name, `begin` or `end`, milliseconds after which a change that did not end is over. */
const CHANGE = `
local changing = redis.call('HGET', KEYS[1], 'changing') or ''
redis.call('DEL', KEYS[1])
changing = string.gsub(changing, ARGV[1] .. ' ', '')
if ARGV[2] == 'begin' then changing = changing .. ARGV[1] .. ' ' end
if changing ~= '' then
  redis.call('HSET', KEYS[1], 'changing', changing)
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return 1`;

/** KEYS: group. ARGV: new token, version, value, lifetime. */
const REPLACE = `
local kept = redis.call('HMGET', KEYS[1], 'version', 'entry:')
local version = kept[2] and tonumber(kept[1])
if not version then return redis.call('DEL', KEYS[1]) end
redis.call('HSET', KEYS[1], 'token', ARGV[1])
if version >= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'entry:', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1`;

type Argument = string | number | Buffer;
interface Commands {
  cacheFindBuffer(...args: Argument[]): Promise<(Buffer | [Buffer] | null)[]>;
  cachePut(...args: Argument[]): Promise<number>;
  cacheChange(...args: Argument[]): Promise<number>;
  cacheReplace(...args: Argument[]): Promise<number>;
}

/** How long a change that did not end keeps its group from being used, in milliseconds: longer than it can be under way. */
const LONGEST_CHANGE = 10_000;

/** A name that is used once. */
export const newName = (): string => randomBytes(9).toString('hex');

/**
 * Groups of entries in Redis. All calls throw while Redis cannot be reached. Keys begin with the id of the server's run: of
 * what a restarted server has read from its disk nothing is used.
 */
export function createCacheGroups({ client, run, runId, prefix }: RedisConnection) {
  client.defineCommand('cacheFind', { lua: FIND });
  client.defineCommand('cachePut', { numberOfKeys: 1, lua: PUT });
  client.defineCommand('cacheChange', { numberOfKeys: 1, lua: CHANGE });
  client.defineCommand('cacheReplace', { numberOfKeys: 1, lua: REPLACE });
  const commands = client as unknown as Commands;
  const inRun = <T>(use: (keyOf: (group: string) => string) => Promise<T>): Promise<T> =>
    run(async () => {
      const id = await runId();
      return use((group) => `${prefix}cache:${id}:${group}`);
    });

  return {
    /** @param lifetime of a group that has no entry yet, in milliseconds */
    find: (addresses: CacheAddress[], epoch: string, lifetime: number): Promise<Found[]> =>
      inRun(async (keyOf) => {
        const groups = addresses.map(({ group }) => keyOf(group));
        const keys = addresses.map(({ key }) => key);
        const found = await commands.cacheFindBuffer(
          groups.length,
          ...groups,
          epoch,
          newName(),
          lifetime,
          ...keys,
        );
        return found.map(toFound);
      }),

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

    invalidate: (groups: string[]): Promise<unknown> => inRun((keyOf) => client.unlink(groups.map(keyOf))),

    /** Invalidates groups; between the `begin` and the `end` of a change nothing of them is used or stored. */
    change: (groups: string[], change: string, phase: 'begin' | 'end'): Promise<unknown> =>
      inRun((keyOf) =>
        Promise.all(groups.map((group) => commands.cacheChange(keyOf(group), change, phase, LONGEST_CHANGE))),
      ),

    /**
     * Puts the next version in the place of an entry with the key ''; where none is kept, invalidates. Versions may come in
     * any order: the latest stays.
     */
    replace: (group: string, value: CacheValue, version: number, lifetime: number): Promise<number> =>
      inRun((keyOf) => commands.cacheReplace(keyOf(group), newName(), version, toBytes(value), lifetime)),
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
