import { AppError, defineError } from '@shop/service-kit/errors/app-error';

/** product-service gave no usable response; `reason` is for the log only. */
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

/** Somebody else held a product locked for longer than the request may wait; nothing was taken. */
export const ProductBusy = defineError(
  503,
  'product_busy',
  'Somebody else is changing a product of this order right now',
  () => ({ headers: { 'Retry-After': '1' } }),
);
