import type { RedisConnection } from './connect.ts';

/** Generations live longer than any entry: once one has ended, so has whatever was stored under an earlier one. */
const GENERATION_LIFETIME = 15 * 60_000;
/** How long one process may load an entry while all others wait for it, in milliseconds: longer than a query can take. */
const CLAIM_LIFETIME = 2000;

/** Bytes of a finished answer and their tag. */
export interface CachedBytes {
  readonly etag: string;
  readonly bytes: Buffer;
}

/** Null says that there is nothing, which is an answer too. */
export type CacheValue = CachedBytes | null;

export interface CacheAddress {
  group: string;
  key: string;
}

/** Leave to load an entry and to store it; whoever has none must not store. Times are those of the store's clock. */
export interface Claim extends CacheAddress {
  id: string;
  generation: string;
  loadedAt: number;
}

interface FindOptions {
  /** The id of the entry that the caller has already: its value is not sent again. */
  known: string | undefined;
  /** Milliseconds since its load that an entry may be served although its group has ended. */
  maxAge: number;
  /** For the caller's claim, never used before. */
  id: string;
}

export interface Stored {
  id: string;
  /** Milliseconds since it was loaded. */
  age: number;
  /** Its group has not ended since. */
  isCurrent: boolean;
  /** Undefined: the entry that the caller knows. */
  value: CacheValue | undefined;
}

export interface CacheStore {
  /** The entry, or the claim to load it, or the word that another process is loading it. */
  find(
    address: CacheAddress,
    options: FindOptions,
  ): Promise<{ stored: Stored } | { claim: Claim } | 'loading'>;
  /** Stores what was loaded under a claim and gives the claim up; does nothing when the claim is lost. */
  put(claim: Claim, value: CacheValue, milliseconds: number): Promise<void>;
  /** Gives a claim up whose load failed. */
  release(claim: Claim): Promise<void>;
  /** Ends groups: what was loaded before is no longer current. `again` tries also while Redis is given a rest. */
  end(groups: string[], newGeneration: () => string, again?: 'again'): Promise<void>;
}

/** KEYS: generation, entry. ARGV: max age, known id, own id, lifetime of a claim. */
const FIND = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local generation = redis.call('GET', KEYS[1]) or ''
local entry = redis.call('HMGET', KEYS[2], 'id', 'generation', 'loadedAt')
if entry[1] then
  local age = now - entry[3]
  local current = entry[2] == generation
  if current or (age >= 0 and age < tonumber(ARGV[1])) then
    local found = { entry[1], age, current and 1 or 0 }
    if entry[1] ~= ARGV[2] then
      local value = redis.call('HMGET', KEYS[2], 'etag', 'bytes')
      found[4] = value[1]
      found[5] = value[2]
    end
    return found
  end
end
if redis.call('SET', KEYS[2] .. ':claim:' .. generation, ARGV[3], 'NX', 'PX', ARGV[4]) then
  return { generation, string.format('%.0f', now) }
end
return {}`;

/**
 * KEYS: entry, claim. ARGV: id, generation, loadedAt, etag, bytes, lifetime. A flushed Redis has forgotten the claim with
 * the generation, so that nothing from before is stored; nor is anything that was loaded before what is there.
 */
const PUT = `
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
local loadedAt = redis.call('HGET', KEYS[1], 'loadedAt')
if loadedAt and tonumber(loadedAt) > tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'generation', ARGV[2], 'loadedAt', ARGV[3], 'etag', ARGV[4], 'bytes', ARGV[5])
redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', ARGV[3] + ARGV[6]))
return 1`;

type Found = [] | [generation: Buffer, now: Buffer] | [Buffer, number, number, Buffer?, Buffer?];
interface Commands {
  cacheFindBuffer(...args: (string | number)[]): Promise<Found>;
  cachePut(...args: (string | number | Buffer)[]): Promise<number>;
}

const NOTHING = Buffer.alloc(0);

export function createRedisCacheStore({ client, run, prefix }: RedisConnection): CacheStore {
  client.defineCommand('cacheFind', { numberOfKeys: 2, lua: FIND });
  client.defineCommand('cachePut', { numberOfKeys: 2, lua: PUT });
  const commands = client as unknown as Commands;
  const generationKey = (group: string) => `${prefix}generation:${group}`;
  const entryKey = ({ group, key }: CacheAddress) => `${prefix}cache:${group}:${key}`;
  const claimKey = (claim: Claim) => `${entryKey(claim)}:claim:${claim.generation}`;
  return {
    async find(address, { known = '', maxAge, id }) {
      const found = await run(() =>
        commands.cacheFindBuffer(
          generationKey(address.group),
          entryKey(address),
          maxAge,
          known,
          id,
          CLAIM_LIFETIME,
        ),
      );
      if (found.length === 0) return 'loading';
      if (found.length === 2) {
        const [generation, now] = found;
        return { claim: { ...address, id, generation: String(generation), loadedAt: Number(now) } };
      }
      const [storedId, age, current, etag, bytes] = found;
      const value = etag && bytes && (bytes.length === 0 ? null : { etag: String(etag), bytes });
      return { stored: { id: String(storedId), age, isCurrent: current === 1, value } };
    },
    async put(claim, value, milliseconds) {
      const { etag, bytes } = value ?? { etag: '', bytes: NOTHING };
      await run(() =>
        commands.cachePut(
          entryKey(claim),
          claimKey(claim),
          claim.id,
          claim.generation,
          claim.loadedAt,
          etag,
          bytes,
          milliseconds,
        ),
      );
    },
    async release(claim) {
      await run((redis) => redis.del(claimKey(claim)));
    },
    async end(groups, newGeneration, again) {
      const setAll = () =>
        Promise.all(
          groups.map((group) => client.set(generationKey(group), newGeneration(), 'PX', GENERATION_LIFETIME)),
        );
      await (again === undefined ? run(setAll) : setAll());
    },
  };
}
