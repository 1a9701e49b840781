import { createHash } from 'node:crypto';
import { type CacheOptions, type CacheRead, createCache } from '@shop/service-kit/redis/cache';
import type { CachedBytes } from '@shop/service-kit/redis/cache-store';
import { ProductNotFound } from './product.errors.ts';

/** Seconds that one product and the categories are kept: changes end them earlier. */
const LONG = 600;
/** Seconds that lists are kept. Stock changes do not end them, and may show 5 s late (the HTTP contract). */
const LISTS = 4;
/** Seconds that "there is no such product" is kept. */
const MISSING = 5;

/** The group of everything that shows several products. */
const CATALOGUE = 'catalogue';

/** A finished answer: its body, and the tag of that. */
export interface Answer {
  etag: string;
  json: string;
}

export interface CachedAnswer extends CachedBytes {
  /** Where it comes from, as in RFC 9211. */
  cacheStatus: string;
}

type Load = () => Promise<Answer>;

/**
 * Finished answers by what they show. Loaders read the database; whoever changes it calls one of the three
 * `…Changed` after the commit and before the answer.
 */
export function createProductCache(options: Pick<CacheOptions, 'redis' | 'metrics'>) {
  const products = createCache({
    ...options,
    name: 'product',
    ttl: (value) => (value === null ? MISSING : LONG),
  });
  const lists = createCache({ ...options, name: 'product_list', ttl: LISTS });
  const categories = createCache({ ...options, name: 'categories', ttl: LONG });

  const stockChanged = (ids: number[]) => products.end(ids.map(String));
  const productsChanged = async (ids: number[]) => {
    await Promise.all([stockChanged(ids), lists.end([CATALOGUE])]);
  };
  return {
    /** @throws ProductNotFound, also from the cache */
    async product(id: number, load: () => Promise<Answer | undefined>): Promise<CachedAnswer> {
      const read = await products.read(String(id), '', async () => {
        const answer = await load();
        return answer === undefined ? null : pack(answer);
      });
      return answerOf('product', read);
    },

    /** @param query whatever makes two lists differ */
    async list(query: object, load: Load): Promise<CachedAnswer> {
      return answerOf(
        'product_list',
        await lists.read(CATALOGUE, keyOf(query), async () => pack(await load())),
      );
    },

    async categories(key: string, load: Load): Promise<CachedAnswer> {
      return answerOf('categories', await categories.read(CATALOGUE, key, async () => pack(await load())));
    },

    /** Ends what shows one of these products alone; lists follow within 5 s. */
    stockChanged,

    /** Ends what shows one of these products, alone or in a list. */
    productsChanged,

    /** Ends also what tells which categories there are: for products that came, went or changed theirs. */
    async catalogueChanged(ids: number[]): Promise<void> {
      await Promise.all([productsChanged(ids), categories.end([CATALOGUE])]);
    },
  };
}

export type ProductCache = ReturnType<typeof createProductCache>;

const keys = new WeakMap<object, string>();

/** The kit gives the same object for the same text of a query, so that most are not hashed again. */
function keyOf(query: object): string {
  const key = keys.get(query) ?? createHash('sha256').update(JSON.stringify(query)).digest('base64url');
  keys.set(query, key);
  return key;
}

const pack = ({ etag, json }: Answer): CachedBytes => ({ etag, bytes: Buffer.from(json) });

/** @throws ProductNotFound for what is known not to exist */
function answerOf(name: string, { value, hit }: CacheRead): CachedAnswer {
  if (value === null) throw new ProductNotFound();
  return { ...value, cacheStatus: hit ? `${name}; hit` : `${name}; fwd=miss` };
}
