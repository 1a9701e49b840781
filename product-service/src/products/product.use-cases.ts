import { Forbidden } from '@shop/service-kit/errors/http-errors';
import { toPage, toWindow } from '@shop/service-kit/http/paging';
import type { User } from '@shop/service-kit/http/principal';
import { isUniqueViolation } from '@shop/service-kit/postgres/database-errors';
import { refuseBusy } from './product.busy.ts';
import type { CachedResponse, ProductCache } from './product.cache.ts';
import { productCursor } from './product.cursor.ts';
import { SkuTaken } from './product.errors.ts';
import { type Guard, guardOf, refuseUnlessPasses } from './product.guard.ts';
import type { ProductChanges, ProductRepository } from './product.repository.ts';
import type { Product, ProductFields, ProductQuery, ProductSchemas } from './product.schemas.ts';
import { keyOf } from './product.sort.ts';
import type { Change } from './product.sql.ts';

interface ProductUseCaseOptions {
  products: ProductRepository;
  cache: ProductCache;
  schemas: ProductSchemas;
  /** Who may create products. */
  creation: 'open' | 'admin';
}

/** The use cases of the catalogue. Reads return finished bytes, from the cache if possible. */
export function createProductUseCases({ products, cache, schemas, creation }: ProductUseCaseOptions) {
  const loadCategories = async (withCounts: boolean) => {
    const rows = await products.countByCategory();
    const categories = rows.map(({ category }) => category);
    const counts = Object.fromEntries(rows.map(({ category, count }) => [category, count]));
    return { categories, ...(withCounts ? { counts } : {}) };
  };

  /** @throws ProductNotFound, Forbidden, VersionMismatch */
  const made = async (id: number, { found, changed }: Change, guard: Guard) => {
    if (found !== undefined && changed !== undefined) return { before: found, product: changed };
    await refuseUnlessPasses(guard, found, () => cache.forget(id));
    throw new Error('An allowed change was not made');
  };

  return {
    /** @throws Forbidden where only admins sell, SkuTaken */
    async createProduct(fields: ProductFields, user: User): Promise<Product> {
      if (creation === 'admin' && user.role !== 'admin') throw new Forbidden();
      const product = await products.create(fields, user.id).catch(refuseTakenSku).catch(refuseBusy);
      await cache.catalogueChanged([product.id], [product.category]);
      return product;
    },

    /** @throws ProductNotFound */
    readProduct: (id: number): Promise<CachedResponse> => cache.product(id),

    /** @throws MalformedRequest for a page too deep or a cursor of another list */
    async listProducts(query: ProductQuery): Promise<CachedResponse> {
      const { sort, ids } = query;
      return cache.list(query, async () => {
        const window = toWindow(query, productCursor(sort));
        const { rows, total } = await products.list(query, sort, window);
        const page = toPage(window, rows, total.count, (product) => keyOf(product, sort, ids));
        const response = { products: page.rows, ...page.paging, total_is_estimate: total.isEstimate };
        return schemas.listResponse.parse(response);
      });
    },

    listCategories: (withCounts: boolean): Promise<CachedResponse> =>
      cache.categories(withCounts ? 'counts' : 'names', () => loadCategories(withCounts)),

    /** @throws ProductNotFound, Forbidden, VersionMismatch, SkuTaken */
    async changeProduct(id: number, changes: ProductChanges, user: User, ifMatch?: string): Promise<Product> {
      const guard = guardOf(user, id, ifMatch, changes.stock === undefined ? 'version' : 'revision');
      const change = await products.change(id, changes, guard).catch(refuseTakenSku).catch(refuseBusy);
      const { before, product } = await made(id, change, guard);
      await cache.productChanged(product, before.category);
      return product;
    },

    /** @throws ProductNotFound, Forbidden, VersionMismatch */
    async deleteProduct(id: number, user: User, ifMatch?: string): Promise<void> {
      const guard = guardOf(user, id, ifMatch);
      const { before } = await made(id, await products.remove(id, guard).catch(refuseBusy), guard);
      await cache.catalogueChanged([id], [before.category]);
    },
  };
}

export type ProductUseCases = ReturnType<typeof createProductUseCases>;

function refuseTakenSku(error: unknown): never {
  throw isUniqueViolation(error, 'products_sku_key') ? new SkuTaken() : error;
}
