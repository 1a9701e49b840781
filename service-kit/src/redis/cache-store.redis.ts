import type { CacheAddress, CachedBytes, CacheStore, CacheValue, Claim, Stored } from './cache-store.ts';
import type { RedisConnection } from './connect.ts';

/** Generations live longer than any entry: once one is over, so is whatever was stored under an earlier one. */
const GROUP_LIFETIME = 15 * 60_000;
/** How long one process may load an entry while all others wait for it, in milliseconds: longer than a query can take. */
const CLAIM_LIFETIME = 2000;

/**
 * A group is a hash: its generation, and `changedAt`, which is how many invalidations and replacements there were by its last one. To
 * that number a page compares what it had seen when it was loaded: it need not know its parts before.
 * KEYS: group, entry, changes. ARGV: max age, known id, own id, lifetime of a claim, what the keys of groups and of
 * entries begin with.
 */
const FIND = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local seen = redis.call('GET', KEYS[3]) or '0'
local generation = redis.call('HGET', KEYS[1], 'generation') or ''
local entry = redis.call('HMGET', KEYS[2], 'id', 'generation', 'loadedAt', 'seen', 'parts')
if entry[1] then
  local age = now - entry[3]
  local current = entry[2] == generation
  if current or (age >= 0 and age < tonumber(ARGV[1])) then
    local found = { 'kept', entry[1], age, current and 1 or 0, tonumber(seen), false, false, entry[5] }
    if entry[1] ~= ARGV[2] then
      local value = redis.call('HMGET', KEYS[2], 'etag', 'bytes')
      found[6] = value[1]
      found[7] = value[2]
    end
    for part in string.gmatch(current and entry[5] or '', '%S+') do
      local group = redis.call('HMGET', ARGV[5] .. part, 'generation', 'changedAt')
      if group[2] and tonumber(group[2]) > tonumber(entry[4]) then
        local value = redis.call('HMGET', ARGV[6] .. part .. ':', 'generation', 'etag', 'bytes')
        local kept = value[1] == (group[1] or '')
        found[#found + 1] = part
        found[#found + 1] = kept and value[2]
        found[#found + 1] = kept and value[3]
      end
    end
    return found
  end
end
if redis.call('SET', KEYS[2] .. ':claim:' .. generation, ARGV[3], 'NX', 'PX', ARGV[4]) then
  return { 'claim', generation, string.format('%.0f', now), seen }
end
return { 'loading' }`;

/**
 * KEYS: entry, claim. ARGV: id, generation, loadedAt, lifetime, seen, etag, bytes, version, parts. A flushed Redis has
 * forgotten the claim with the generation, so that nothing from before is stored; nor is anything that was loaded
 * before what is there.
 */
const PUT = `
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
local loadedAt = redis.call('HGET', KEYS[1], 'loadedAt')
if loadedAt and tonumber(loadedAt) > tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'generation', ARGV[2], 'loadedAt', ARGV[3], 'seen', ARGV[5], 'etag', ARGV[6],
  'bytes', ARGV[7], 'version', ARGV[8], 'parts', ARGV[9])
redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', ARGV[3] + ARGV[4]))
return 1`;

/** KEYS: group, changes. ARGV: generation, lifetime of a group. */
const INVALIDATE = `
redis.call('HSET', KEYS[1], 'generation', ARGV[1], 'changedAt', redis.call('INCR', KEYS[2]))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`;

/** KEYS: group, changes, entry. ARGV: id, which is the new generation too, lifetime of a group, of the entry, etag, bytes, version. */
const REPLACE = `
local generation = redis.call('HGET', KEYS[1], 'generation') or ''
local entry = redis.call('HMGET', KEYS[3], 'generation', 'version')
local before = entry[1] == generation and tonumber(entry[2])
redis.call('HSET', KEYS[1], 'changedAt', redis.call('INCR', KEYS[2]))
if not before or before < tonumber(ARGV[6]) then redis.call('HSET', KEYS[1], 'generation', ARGV[1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
if not before or before >= tonumber(ARGV[6]) then return 0 end
local time = redis.call('TIME')
redis.call('HSET', KEYS[3], 'id', ARGV[1], 'generation', ARGV[1], 'loadedAt', string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)),
  'etag', ARGV[4], 'bytes', ARGV[5], 'version', ARGV[6])
redis.call('PEXPIRE', KEYS[3], ARGV[3])
return 1`;

/** KEYS: entry. ARGV: from, id, seen, etag, bytes, parts. */
const PATCH = `
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'id', ARGV[2], 'seen', ARGV[3], 'etag', ARGV[4], 'bytes', ARGV[5], 'parts', ARGV[6])
return 1`;

type Argument = string | number | Buffer;
type Text = Buffer | null;
type ClaimReply = [generation: Buffer, now: Buffer, seen: Buffer] | [];
type KeptReply = [
  id: Buffer,
  age: number,
  isCurrent: number,
  seen: number,
  etag: Text,
  bytes: Text,
  parts: Text,
  ...changed: Text[],
];
interface Commands {
  cacheFindBuffer(...args: Argument[]): Promise<[what: Buffer, ...(ClaimReply | KeptReply)]>;
  cachePut(...args: Argument[]): Promise<number>;
  cacheInvalidate(...args: Argument[]): Promise<number>;
  cacheReplace(...args: Argument[]): Promise<number>;
  cachePatch(...args: Argument[]): Promise<number>;
}

const NOTHING: CachedBytes = { etag: '', bytes: Buffer.alloc(0) };

export function createRedisCacheStore({ client, run, prefix }: RedisConnection): CacheStore {
  client.defineCommand('cacheFind', { numberOfKeys: 3, lua: FIND });
  client.defineCommand('cachePut', { numberOfKeys: 2, lua: PUT });
  client.defineCommand('cacheInvalidate', { numberOfKeys: 2, lua: INVALIDATE });
  client.defineCommand('cacheReplace', { numberOfKeys: 3, lua: REPLACE });
  client.defineCommand('cachePatch', { numberOfKeys: 1, lua: PATCH });
  const commands = client as unknown as Commands;
  const changes = `${prefix}cache-changes`;
  const groups = `${prefix}group:`;
  const entries = `${prefix}cache:`;
  const entryKey = ({ group, key }: CacheAddress) => `${entries}${group}:${key}`;
  const claimKey = (claim: Claim) => `${entryKey(claim)}:claim:${claim.generation}`;
  return {
    async find(address, { known = '', maxAge, id }) {
      const keys = [`${groups}${address.group}`, entryKey(address), changes];
      const found = await run(() =>
        commands.cacheFindBuffer(...keys, maxAge, known, id, CLAIM_LIFETIME, groups, entries),
      );
      const [what, ...rest] = found;
      if (String(what) === 'kept') return { stored: storedOf(rest as KeptReply) };
      const [generation, now, seen] = rest as ClaimReply;
      if (generation === undefined) return 'loading';
      const claim = { id, generation: String(generation), loadedAt: Number(now), seen: Number(seen) };
      return { claim: { ...address, ...claim } };
    },
    async put(claim, value, milliseconds) {
      const { etag, bytes, version = '', parts = [] } = value ?? NOTHING;
      const { id, generation, loadedAt, seen } = claim;
      const keys = [entryKey(claim), claimKey(claim)];
      const about = [id, generation, loadedAt, milliseconds, seen];
      await run(() => commands.cachePut(...keys, ...about, etag, bytes, version, parts.join(' ')));
    },
    async release(claim) {
      await run((redis) => redis.del(claimKey(claim)));
    },
    async invalidate(names, newGeneration, again) {
      const invalidateAll = () =>
        Promise.all(
          names.map((group) =>
            commands.cacheInvalidate(`${groups}${group}`, changes, newGeneration(), GROUP_LIFETIME),
          ),
        );
      await (again === undefined ? run(invalidateAll) : invalidateAll());
    },
    async replace({ value: { etag, bytes, version }, lifetime, id, ...address }) {
      const keys = [`${groups}${address.group}`, changes, entryKey(address)];
      await run(() => commands.cacheReplace(...keys, id, GROUP_LIFETIME, lifetime, etag, bytes, version));
    },
    async patch({ from, id, seen, value: { etag, bytes, parts = [] }, ...address }) {
      await run(() => commands.cachePatch(entryKey(address), from, id, seen, etag, bytes, parts.join(' ')));
    },
  };
}

function storedOf([id, age, isCurrent, seen, etag, bytes, parts, ...changed]: KeptReply): Stored {
  const value = valueFrom(etag, bytes);
  const names = parts === null || parts.length === 0 ? undefined : String(parts).split(' ');
  const stored: Stored = {
    id: String(id),
    age,
    isCurrent: isCurrent === 1,
    value: value && names ? { ...value, parts: names } : value,
    seen,
    changed: new Map(),
  };
  for (let i = 0; i < changed.length; i += 3)
    stored.changed.set(String(changed[i]), valueFrom(changed[i + 1], changed[i + 2]));
  return stored;
}

function valueFrom(etag: Text | undefined, bytes: Text | undefined): CacheValue | undefined {
  if (!etag || !bytes) return undefined;
  return bytes.length === 0 ? null : { etag: String(etag), bytes };
}
