import type { CacheValue } from '@shop/service-kit/redis/cache-groups';
import type { RedisConnection } from '@shop/service-kit/redis/connect';
import type { Loaded } from '../../src/cache/cache.ts';
import { bytesOf, cachesOn } from './caches.ts';

/** By id, which version of a part there is. */
export type Table = Map<string, number>;

/** A page that shows all parts of a table, such as `1.1 2.7` for version 1 of part 1 and version 7 of part 2. */
export function pageOn(redis: RedisConnection | undefined, table: Table) {
  const { createCache } = cachesOn(redis);
  const loaded: string[] = [];
  const show = (id: string) => ({ value: bytesOf(`${id}.${table.get(id)}`), version: table.get(id) ?? 0 });
  const load = async (ids: string[]): Promise<Map<string, Loaded>> => {
    loaded.push(ids.join('+'));
    return new Map(ids.flatMap((id) => (table.has(id) ? [[id, show(id)]] : [])));
  };
  const compose = (parts: CacheValue[]) =>
    bytesOf(parts.flatMap((part) => (part === null ? [] : String(part.bytes))).join(' '));

  const parts = createCache({ name: 'part', lifetime: 60_000 });
  const pages = createCache({ name: 'page', lifetime: 60_000 });
  const restore = async (kept: CacheValue) => {
    const ids = String(kept?.bytes).split(' ');
    const { values, hit } = await parts.readAll(ids, load);
    return { value: compose(values), parts: ids.map(parts.groupOf), hit };
  };
  const commit = (id: string) => void table.set(id, (table.get(id) ?? 0) + 1);
  const report = (id: string) => parts.replace([{ group: id, ...show(id) }]);
  return {
    /** What was loaded: `page`, or the ids of parts, such as `1+2` for two at once. */
    takeLoaded: () => loaded.splice(0),
    readPart: (id: string) => parts.read(id, '', async () => (await load([id])).get(id) ?? { value: null }),
    /** @param hold is called with what was read from the table, and keeps it back until it resolves */
    async readPage(hold: () => Promise<unknown> = async () => undefined): Promise<string> {
      const loadPage = async () => {
        loaded.push('page');
        const ids = [...table.keys()];
        const page = compose(ids.map((id) => show(id).value));
        await hold();
        return { value: page, kept: bytesOf(ids.join(' ')), parts: ids.map(parts.groupOf) };
      };
      const { value } = await pages.read('all', 'page', loadPage, restore);
      return String(value?.bytes);
    },
    /** Makes the next version of a part, and reports it, as a process does that is not held up in between. */
    async change(id: string): Promise<void> {
      commit(id);
      await report(id);
    },
    commit,
    report,
    invalidatePart: (id: string) => parts.invalidate([id]),
    invalidatePage: () => pages.invalidate(['all']),
  };
}
