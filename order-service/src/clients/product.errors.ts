import { AppError } from '@shop/service-kit/errors/app-error';

/** product-service gave no usable answer; `reason` is for the log only. */
export class ProductServiceUnavailable extends AppError {
  static readonly status = 503;
  static readonly code = 'product_service_unavailable';

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
