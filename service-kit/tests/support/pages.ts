import { createCaches } from '../../src/redis/cache.ts';
import type { CachedBytes, CacheValue } from '../../src/redis/cache-store.ts';
import type { RedisConnection } from '../../src/redis/connect.ts';
import { createMetrics } from '../../src/runtime/metrics.ts';

/** By id, which version of a part there is. */
export type Table = Map<string, number>;

/** A page that shows all parts of a table, such as `1.1 2.7` for version 1 of part 1 and version 7 of part 2. */
export function pageOn(redis: RedisConnection | undefined, table: Table) {
  const metrics = createMetrics('kit');
  const createCache = createCaches({ redis, metrics });
  const loaded: string[] = [];
  const textOf = (id: string) => `${id}.${table.get(id)}`;
  const idOf = (text: string) => text.slice(0, text.indexOf('.'));
  const show = (id: string) => ({ ...pack(textOf(id)), version: table.get(id) ?? 0 });
  const load = async (id: string): Promise<CacheValue> => {
    loaded.push(id);
    return table.has(id) ? show(id) : null;
  };

  const parts = createCache({ name: 'part', ttl: 60 });
  const compose = (texts: string[]): CachedBytes => ({
    ...pack(texts.join(' ')),
    parts: texts.map((text) => parts.partOf(idOf(text))),
  });
  const renew = ({ bytes }: CachedBytes, changed: Map<string, CacheValue>): CachedBytes => {
    const texts = String(bytes).split(' ');
    return compose(
      texts.flatMap((text) => {
        const part = changed.get(parts.partOf(idOf(text)));
        return part === undefined ? text : part === null ? [] : String(part.bytes);
      }),
    );
  };
  const pages = createCache({ name: 'page', ttl: 60, parts: { of: parts, load, renew } });
  const commit = (id: string) => void table.set(id, (table.get(id) ?? 0) + 1);
  const tell = (id: string) => parts.replace([{ group: id, value: show(id) }]);
  return {
    /** What was loaded: ids of parts, and `page`. */
    takeLoaded: () => loaded.splice(0),
    readPart: (id: string) => parts.read(id, '', () => load(id)),
    /** @param hold is called with what was read from the table, and keeps it back until it resolves */
    async readPage(hold: () => Promise<unknown> = async () => undefined): Promise<string> {
      const { value } = await pages.read('all', 'page', async () => {
        loaded.push('page');
        const page = compose([...table.keys()].map(textOf));
        await hold();
        return page;
      });
      return String(value?.bytes);
    },
    /** Makes the next version of a part, and tells of it, as a process does that is not held up in between. */
    async change(id: string): Promise<void> {
      commit(id);
      await tell(id);
    },
    commit,
    tell,
    invalidatePart: (id: string) => parts.invalidate([id]),
    invalidatePage: () => pages.invalidate(['all']),
  };
}

const pack = (text: string): CachedBytes => ({ etag: `"${text}"`, bytes: Buffer.from(text) });
