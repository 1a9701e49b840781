import { Forbidden } from '@shop/service-kit/errors/http-errors';
import { etagOf } from '@shop/service-kit/http/mount-routes';
import { toPage, toWindow } from '@shop/service-kit/http/paging';
import type { User } from '@shop/service-kit/http/request-context';
import { isUniqueViolation } from '@shop/service-kit/postgres/database-errors';
import type { Answer, CachedAnswer, ProductCache } from './product.cache.ts';
import { SkuTaken } from './product.errors.ts';
import { etagOfProduct } from './product.etag.ts';
import { assertPasses, type Guard, guardOf } from './product.guard.ts';
import { keyOf } from './product.order.ts';
import type { ProductChanges, ProductRepository } from './product.repository.ts';
import {
  type Product,
  type ProductFields,
  type ProductQuery,
  type ProductSchemas,
  productCursor,
} from './product.schemas.ts';
import type { Change } from './product.sql.ts';

interface ProductUseCaseOptions {
  products: ProductRepository;
  cache: ProductCache;
  schemas: ProductSchemas;
  /** Who may create products. */
  creation: 'open' | 'admin';
}

/** What the shop does with its catalogue. Reads answer finished bytes, out of the cache where it has them. */
export function createProductUseCases({ products, cache, schemas, creation }: ProductUseCaseOptions) {
  const loadProduct = async (id: number): Promise<Answer | undefined> => {
    const product = await products.find(id);
    if (product === undefined) return undefined;
    return { etag: etagOfProduct(product), json: JSON.stringify(schemas.productAnswer.parse({ product })) };
  };

  const loadCategories = async (withCounts: boolean): Promise<Answer> => {
    const rows = await products.countByCategory();
    const categories = rows.map(({ category }) => category);
    const counts = Object.fromEntries(rows.map(({ category, count }) => [category, count]));
    return tagged(JSON.stringify({ categories, ...(withCounts ? { counts } : {}) }));
  };

  return {
    /** @throws Forbidden where only admins sell, SkuTaken */
    async createProduct(fields: ProductFields, user: User): Promise<Product> {
      if (creation === 'admin' && user.role !== 'admin') throw new Forbidden();
      const product = await products.create(fields, user.id).catch(refuseTakenSku);
      await cache.catalogueChanged([product.id]);
      return product;
    },

    /** @throws ProductNotFound */
    readProduct: (id: number): Promise<CachedAnswer> => cache.product(id, () => loadProduct(id)),

    /** @throws MalformedRequest for a page too deep or a cursor of another list */
    async listProducts(query: ProductQuery): Promise<CachedAnswer> {
      const { sort, ids } = query;
      return cache.list(query, async () => {
        const window = toWindow(query, productCursor(sort));
        const { rows, total } = await products.list(query, sort, window);
        const page = toPage(window, rows, total.count, (product) => keyOf(product, sort, ids));
        const answer = { products: page.rows, ...page.paging, total_is_estimate: total.isEstimate };
        return tagged(JSON.stringify(schemas.listAnswer.parse(answer)));
      });
    },

    listCategories: (withCounts: boolean): Promise<CachedAnswer> =>
      cache.categories(withCounts ? 'counts' : 'names', () => loadCategories(withCounts)),

    /** @throws ProductNotFound, Forbidden, VersionMismatch, SkuTaken */
    async changeProduct(id: number, changes: ProductChanges, user: User, ifMatch?: string): Promise<Product> {
      const guard = guardOf(user, id, ifMatch);
      const change = await products.change(id, changes, guard).catch(refuseTakenSku);
      const product = changedProduct(change, guard);
      await (changes.category === undefined ? cache.productsChanged([id]) : cache.catalogueChanged([id]));
      return product;
    },

    /** @throws ProductNotFound, Forbidden, VersionMismatch */
    async deleteProduct(id: number, user: User, ifMatch?: string): Promise<void> {
      const guard = guardOf(user, id, ifMatch);
      changedProduct(await products.remove(id, guard), guard);
      await cache.catalogueChanged([id]);
    },
  };
}

export type ProductUseCases = ReturnType<typeof createProductUseCases>;

const tagged = (json: string): Answer => ({ etag: etagOf(json), json });

/** @throws ProductNotFound, Forbidden, VersionMismatch */
function changedProduct({ found, changed }: Change, guard: Guard): Product {
  if (changed !== undefined) return changed;
  assertPasses(guard, found);
  throw new Error('A change that nothing forbids was not made');
}

function refuseTakenSku(error: unknown): never {
  throw isUniqueViolation(error, 'products_sku_key') ? new SkuTaken() : error;
}
