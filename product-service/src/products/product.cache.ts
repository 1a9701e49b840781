import { createHash } from 'node:crypto';
import { type CacheOptions, type CacheRead, createCache } from '@shop/service-kit/redis/cache';
import { ProductNotFound } from './product.errors.ts';

/** Seconds that one product and the categories are kept: changes end them earlier. */
const LONG = 60;
/** Seconds that lists are kept. Stock changes do not end them, and may show 5 s late (the HTTP contract). */
const LISTS = 4;
/** Seconds that "there is no such product" is kept. */
const MISSING = 5;

/** The group of everything that shows several products. */
const CATALOGUE = 'catalogue';
/** Stands for a product that does not exist. */
const NOTHING = '';

/** A finished answer: the bytes of its body, and their tag. */
export interface Answer {
  etag: string;
  json: string;
}

export interface CachedAnswer extends Answer {
  /** Where it comes from, as in RFC 9211. */
  cacheStatus: string;
}

type Load = () => Promise<Answer>;

/**
 * Finished answers by what they show. Loaders read the database; whoever changes it calls `stockChanged` or
 * `catalogueChanged` after the commit and before the answer.
 */
export function createProductCache(options: Pick<CacheOptions, 'redis' | 'metrics'>) {
  const products = createCache({
    ...options,
    name: 'product',
    ttl: (value) => (value === NOTHING ? MISSING : LONG),
  });
  const lists = createCache({ ...options, name: 'product_list', ttl: LISTS });
  const categories = createCache({ ...options, name: 'categories', ttl: LONG });

  const stockChanged = (ids: number[]) => products.end(ids.map(String));
  return {
    /** @throws ProductNotFound, also from the cache */
    async product(id: number, load: () => Promise<Answer | undefined>): Promise<CachedAnswer> {
      const read = await products.read(String(id), '', async () => {
        const answer = await load();
        return answer === undefined ? NOTHING : pack(answer);
      });
      if (read.value === NOTHING) throw new ProductNotFound();
      return unpack('product', read);
    },

    /** @param query whatever makes two lists differ */
    async list(query: unknown, load: Load): Promise<CachedAnswer> {
      const key = createHash('sha256').update(JSON.stringify(query)).digest('base64url');
      return unpack('product_list', await lists.read(CATALOGUE, key, async () => pack(await load())));
    },

    async categories(key: string, load: Load): Promise<CachedAnswer> {
      return unpack('categories', await categories.read(CATALOGUE, key, async () => pack(await load())));
    },

    /** Ends what shows one of these products alone; lists follow within 5 s. */
    stockChanged,

    /** Ends whatever shows one of these products. */
    async catalogueChanged(ids: number[]): Promise<void> {
      await Promise.all([stockChanged(ids), lists.end([CATALOGUE]), categories.end([CATALOGUE])]);
    },
  };
}

export type ProductCache = ReturnType<typeof createProductCache>;

const pack = ({ etag, json }: Answer) => `${etag}\n${json}`;

function unpack(name: string, { value, hit }: CacheRead): CachedAnswer {
  const end = value.indexOf('\n');
  return {
    etag: value.slice(0, end),
    json: value.slice(end + 1),
    cacheStatus: hit ? `${name}; hit` : `${name}; fwd=miss`,
  };
}
