import { type AppError, defineError, type ErrorExtras } from '@shop/service-kit/errors/app-error';
import { Unavailable } from '@shop/service-kit/errors/http-errors';
import type { Shortage } from '../clients/product.client.ts';

export const ProductNotFound = defineError(
  404,
  'product_not_found',
  (productId: number) => `Product ${productId} not found`,
);
/** Lists every line that is short, so that a storefront can mend the whole basket at once. */
export const InsufficientStock = defineError(
  400,
  'insufficient_stock',
  (short: Shortage[]) => `Insufficient stock for product ${short.map((line) => line.product_id).join(', ')}`,
  (short): ErrorExtras => ({ members: { details: short } }),
);
export const PriceChanged = defineError(
  409,
  'price_changed',
  (_quote: object) => 'The total is not the expected one any more',
  (quote): ErrorExtras => ({ members: { quote } }),
);
/** An order's total stays below 2^53 minor units, so that every JSON reader gets it exactly. */
export const TotalTooLarge = defineError(400, 'total_too_large', 'The total of this order is too large');
export const IdempotencyMismatch = defineError(
  422,
  'idempotency_mismatch',
  'This Idempotency-Key was used with another request',
);
export const IdempotencyInFlight = defineError(
  409,
  'idempotency_in_flight',
  (_retryAfter: number) => 'The first request with this Idempotency-Key is still running',
  (retryAfter): ErrorExtras => ({ headers: { 'Retry-After': String(retryAfter) } }),
);

/** The order was given up before it could be placed; nothing is held and the request may be sent again. */
export const notPlaced = (): AppError =>
  new Unavailable('The order could not be placed in time, nothing was ordered', 1);
