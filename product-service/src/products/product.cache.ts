import { etagOf } from '@shop/service-kit/http/mount-routes';
import { type CacheRead, type CachesOptions, createCaches } from '@shop/service-kit/redis/cache';
import { keyOfQuery } from '@shop/service-kit/redis/cache-key';
import type { CachedBytes, CacheValue } from '@shop/service-kit/redis/cache-store';
import { ProductNotFound } from './product.errors.ts';
import { etagOfProduct } from './product.etag.ts';
import { groupOfList, groupsOfLists, looksAtStock } from './product.lists.ts';
import type { Product, ProductQuery, ProductSchemas } from './product.schemas.ts';

/** Seconds that one product and the categories are kept: changes invalidate them earlier. */
const LONG = 600;
/** Seconds that lists are kept: they are many, and most are not asked for twice. */
const LISTS = 60;
/** Seconds for those that look at the stock: what enters and leaves them may show 5 s late (the HTTP contract). */
const LISTS_BY_STOCK = 4;
/** Seconds that "there is no such product" is kept. */
const MISSING = 5;

/** The group of the lists of categories. */
const CATEGORIES = 'all';

export interface CachedResponse extends CachedBytes {
  /** Where it comes from, as in RFC 9211. */
  cacheStatus: string;
}

/** A page of a list, as its JSON has it. */
interface Page {
  products: { id: number }[];
}

interface ProductCacheOptions extends CachesOptions {
  schemas: ProductSchemas;
  /** Loads one product from the database. */
  find(id: number): Promise<Product | undefined>;
}

/**
 * Finished responses by the products that they show. A caller that changes these calls one of the three `…Changed` after
 * the commit and before the response.
 *
 * A cached list stores the ids of its products, and takes their content from their own responses: an order or a new price
 * replaces the response of one product, and invalidates no list.
 */
export function createProductCache({ schemas, find, ...options }: ProductCacheOptions) {
  const show = (product: Product) => ({
    ...pack(schemas.productResponse.parse({ product }), etagOfProduct(product)),
    version: product.revision,
  });
  const load = async (id: string): Promise<CacheValue> => {
    const product = await find(Number(id));
    return product === undefined ? null : show(product);
  };

  const createCache = createCaches(options);
  const products = createCache({
    name: 'product',
    ttl: LONG,
    shorter: (value) => (value === null ? MISSING : undefined),
  });
  const partOf = ({ id }: { id: number }) => products.partOf(String(id));
  const showPage = (page: Page) => ({ ...pack(page), parts: page.products.map(partOf) });
  const renew = ({ bytes }: CachedBytes, changed: Map<string, CacheValue>): CachedBytes => {
    const page: Page = JSON.parse(String(bytes));
    const shown = page.products.flatMap((product) => {
      const response = changed.get(partOf(product));
      return response === undefined ? [product] : response === null ? [] : [productIn(response)];
    });
    return showPage({ ...page, products: shown });
  };
  const lists = createCache({
    name: 'product_list',
    ttl: LISTS,
    shorter: (_page, group) => (looksAtStock(group) ? LISTS_BY_STOCK : undefined),
    parts: { of: products, load, renew },
  });
  const categories = createCache({ name: 'categories', ttl: LONG });

  const stockChanged = (changed: Product[]): Promise<void> =>
    products.replace(changed.map((product) => ({ group: String(product.id), value: show(product) })));
  return {
    /** @throws ProductNotFound, also from the cache */
    async product(id: number): Promise<CachedResponse> {
      return responseOf('product', await products.read(String(id), '', () => load(String(id))));
    },

    /** @param loadPage gives the body of the response */
    async list(query: ProductQuery, loadPage: () => Promise<Page>): Promise<CachedResponse> {
      return responseOf(
        'product_list',
        await lists.read(groupOfList(query), keyOfQuery(query), async () => showPage(await loadPage())),
      );
    },

    /** @param loadAll gives the body of the response */
    async categories(key: string, loadAll: () => Promise<object>): Promise<CachedResponse> {
      return responseOf(
        'categories',
        await categories.read(CATEGORIES, key, async () => pack(await loadAll())),
      );
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

const productIn = ({ bytes }: CachedBytes): { id: number } => JSON.parse(String(bytes)).product;

/** @throws ProductNotFound for what is known not to exist */
function responseOf(name: string, { value, hit }: CacheRead): CachedResponse {
  if (value === null) throw new ProductNotFound();
  return { ...value, cacheStatus: hit ? `${name}; hit` : `${name}; fwd=miss` };
}
