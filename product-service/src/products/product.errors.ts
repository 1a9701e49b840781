import { defineError } from '@shop/service-kit/errors/app-error';
import { Forbidden } from '@shop/service-kit/errors/http-errors';

export const ProductNotFound = defineError(404, 'product_not_found', 'Product not found');
export const SkuTaken = defineError(409, 'sku_taken', 'Another product has this SKU');
export const VersionMismatch = defineError(
  412,
  'version_mismatch',
  'The product has changed since it was read; read it again',
);
/** Another transaction held a row locked for longer than the request may wait; nothing was changed. */
export const ProductBusy = defineError(
  503,
  'product_busy',
  'Another request is changing this product right now',
  () => ({ headers: { 'Retry-After': '1' } }),
);

/** The expected failures of each operation: what its use-case may throw. */
export const errorsOf = {
  createProduct: [Forbidden, SkuTaken, ProductBusy],
  getProduct: [ProductNotFound],
  replaceProduct: [Forbidden, ProductNotFound, SkuTaken, VersionMismatch, ProductBusy],
  updateProduct: [Forbidden, ProductNotFound, SkuTaken, VersionMismatch, ProductBusy],
  deleteProduct: [Forbidden, ProductNotFound, VersionMismatch, ProductBusy],
};
