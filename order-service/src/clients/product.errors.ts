import { AppError, defineError } from '@shop/service-kit/errors/app-error';

/** There was no usable response of product-service; `reason` is for the log only. */
export class ProductServiceUnavailable extends AppError {
  static readonly status = 503;
  static readonly code = 'product_service_unavailable';
  static sample = (): AppError => new ProductServiceUnavailable('');

  constructor(reason: string) {
    super(
      503,
      ProductServiceUnavailable.code,
      'Product service unavailable',
      { headers: { 'Retry-After': '1' } },
      new Error(reason),
    );
  }
}

/** Another transaction kept a product locked for longer than the request may wait; nothing was reserved. */
export const ProductBusy = defineError(
  503,
  'product_busy',
  'A product of this order is being changed right now',
  () => ({ headers: { 'Retry-After': '1' } }),
);
