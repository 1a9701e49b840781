import { etagOf } from '@shop/service-kit/http/mount-routes';
import type { CachedBytes, CacheValue } from '@shop/service-kit/redis/cache-groups';
import { keyOfQuery } from '@shop/service-kit/redis/cache-key';
import { type CacheRead, type CachesOptions, createCaches, type Loaded } from '../cache/cache.ts';
import { ProductNotFound } from './product.errors.ts';
import { etagOfProduct } from './product.etag.ts';
import { groupOfList, groupsOfLists, looksAtStock } from './product.lists.ts';
import { joinPage, keptOf, type Page, splitPage } from './product.pages.ts';
import type { Product, ProductQuery, ProductSchemas } from './product.schemas.ts';

/** Milliseconds that responses are kept; changes invalidate or replace them earlier. */
const LIFETIME = 600_000;
/** For lists that look at the stock: what enters and leaves them may show 5 s late (the HTTP contract). */
const LISTS_BY_STOCK = 4000;
/** For "there is no such product". */
const MISSING = 5000;

/** The group of the lists of categories. */
const CATEGORIES = 'all';

export interface CachedResponse extends CachedBytes {
  /** Where it comes from, as in RFC 9211. */
  cacheStatus: string;
}

interface ProductCacheOptions extends CachesOptions {
  schemas: ProductSchemas;
  /** Loads products from the database; those that do not exist are left out. */
  findAll(ids: number[]): Promise<Product[]>;
}

/**
 * Finished responses by the products that they show. A caller that changes these calls one of the three `…Changed` after
 * the commit and before the response.
 *
 * A cached list stores the ids of its products, and takes their content from their own responses: an order or a new price
 * replaces the response of one product, and invalidates no list.
 */
export function createProductCache({ schemas, findAll, ...options }: ProductCacheOptions) {
  const show = (product: Product) => ({
    value: pack(schemas.productResponse.parse({ product }), etagOfProduct(product)),
    version: product.revision,
  });
  const load = async (names: string[]): Promise<Map<string, Loaded>> => {
    const found = await findAll(names.map(Number));
    return new Map(found.map((product) => [String(product.id), show(product)]));
  };

  const createCache = createCaches(options);
  const products = createCache({ name: 'product', lifetime: LIFETIME, lifetimeOfNothing: MISSING });
  const listsByStock = createCache({ name: 'product_list', lifetime: LISTS_BY_STOCK });
  const lists = createCache({ name: 'product_list', lifetime: LIFETIME });
  const categories = createCache({ name: 'categories', lifetime: LIFETIME });

  const partsOf = (ids: string[]) => ids.map(products.groupOf);
  const restorePage = async (kept: CacheValue) => {
    const { ids, rest } = splitPage(kept);
    const { values, hit } = await products.readAll(ids, load);
    return { value: joinPage(values, rest), parts: partsOf(ids), hit };
  };

  const stockChanged = (changed: Product[]): Promise<void> =>
    products.replace(changed.map((product) => ({ group: String(product.id), ...show(product) })));
  return {
    /** @throws ProductNotFound, also from the cache */
    async product(id: number): Promise<CachedResponse> {
      const name = String(id);
      const loadOne = async () => (await load([name])).get(name) ?? { value: null };
      return responseOf('product', await products.read(name, '', loadOne));
    },

    /** @param loadPage returns the body of the response */
    async list(query: ProductQuery, loadPage: () => Promise<Page>): Promise<CachedResponse> {
      const group = groupOfList(query);
      const cache = looksAtStock(group) ? listsByStock : lists;
      const loadList = async () => {
        const page = await loadPage();
        const kept = keptOf(page);
        return { value: pack(page), kept, parts: partsOf(splitPage(kept).ids) };
      };
      return responseOf('product_list', await cache.read(group, keyOfQuery(query), loadList, restorePage));
    },

    /** @param loadAll returns the body of the response */
    async categories(key: string, loadAll: () => Promise<object>): Promise<CachedResponse> {
      const loadList = async () => ({ value: pack(await loadAll()) });
      return responseOf('categories', await categories.read(CATEGORIES, key, loadList));
    },

    /** @param changed the products as they are now */
    stockChanged,

    /** @param changed the product as it is now */
    async productChanged(changed: Product, categoryBefore: string): Promise<void> {
      const isMoved = changed.category !== categoryBefore;
      await Promise.all([
        stockChanged([changed]),
        lists.invalidate(groupsOfLists([changed.category, categoryBefore], isMoved ? 'all' : 'by fields')),
        ...(isMoved ? [categories.invalidate([CATEGORIES])] : []),
      ]);
    },

    /** For a product that is not as it is shown: the next reader loads it, also into the lists that show it. */
    forget: (id: number): Promise<void> => products.invalidate([String(id)]),

    /**
     * For products that came, went or changed in any way.
     * @param inCategories all categories that they had and have
     */
    async catalogueChanged(ids: number[], inCategories: string[]): Promise<void> {
      await Promise.all([
        products.invalidate(ids.map(String)),
        lists.invalidate(groupsOfLists(inCategories, 'all')),
        categories.invalidate([CATEGORIES]),
      ]);
    },
  };
}

export type ProductCache = ReturnType<typeof createProductCache>;

function pack(body: object, etag?: string): CachedBytes {
  const json = JSON.stringify(body);
  return { etag: etag ?? etagOf(json), bytes: Buffer.from(json) };
}

/** @throws ProductNotFound for an id that is known not to exist */
function responseOf(name: string, { value, hit }: CacheRead): CachedResponse {
  if (value === null) throw new ProductNotFound();
  return { etag: value.etag, bytes: value.bytes, cacheStatus: hit ? `${name}; hit` : `${name}; fwd=miss` };
}
