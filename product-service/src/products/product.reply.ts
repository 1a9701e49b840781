import { reply } from '@shop/service-kit/http/reply';
import { etagOfProduct } from './product.etag.ts';
import type { Product } from './product.schemas.ts';

/** A changed product with its new ETag: an editor goes on with it as `If-Match`, without reading the product again. */
export const changedProduct = (message: string, product: Product, headers: Record<string, string> = {}) =>
  reply({ message, product }, { headers, etag: etagOfProduct(product) });
