import { createMoney } from '@shop/service-kit/money/money';
import type { CachesOptions } from '../cache/cache.ts';
import { createProductCache } from './product.cache.ts';
import { createProductRepository, type ProductRepositoryOptions } from './product.repository.ts';
import { createProductSchemas } from './product.schemas.ts';

interface CatalogueOptions extends ProductRepositoryOptions, CachesOptions {
  /** ISO 4217. */
  currency: string;
}

/** The products and their caches, one per process, shared by requests and jobs. */
export function openCatalogue({ redis, trust, metrics, currency, ...database }: CatalogueOptions) {
  const money = createMoney(currency);
  const schemas = createProductSchemas(money);
  const repository = createProductRepository(database);
  const cache = createProductCache({ redis, trust, metrics, schemas, findAll: repository.findAll });
  return { money, schemas, repository, cache };
}

export type Catalogue = ReturnType<typeof openCatalogue>;
