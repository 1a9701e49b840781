import { defineError } from '@shop/service-kit/errors/app-error';

export const ProductNotFound = defineError(404, 'product_not_found', 'Product not found');
export const SkuTaken = defineError(409, 'sku_taken', 'Another product has this SKU');
export const VersionMismatch = defineError(
  412,
  'version_mismatch',
  'The product has changed since it was read; read it again',
);
