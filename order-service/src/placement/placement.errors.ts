import { type AppError, defineError, type ErrorExtras } from '@shop/service-kit/errors/app-error';
import { MAX_TEXT, Unavailable } from '@shop/service-kit/errors/http-errors';
import { count, id } from '@shop/service-kit/http/fields';
import { shorten } from '@shop/service-kit/text/texts';
import { z } from 'zod';
import { ProductBusy, ProductServiceUnavailable } from '../clients/product.errors.ts';
import type { Shortage } from '../clients/product.response.schemas.ts';
import { quoteResponse } from '../orders/order.response.schemas.ts';

const shortLine = z
  .object({
    product_id: id('Id of the product.'),
    requested: z.int().meta({ description: 'Units requested.', minimum: 1, examples: [5] }),
    available: count('Units that were available at that moment; 0 of a product that is not sold.', 2),
  })
  .meta({ id: 'ShortLine', description: 'A product with fewer units available than were requested.' });

const shortLines = (description: string) =>
  z.object({ details: z.array(shortLine).meta({ description, maxItems: 100 }) });

/** Names the first unknown product, and lists all of them. */
export const ProductNotFound = defineError(
  404,
  'product_not_found',
  (unknown: Shortage[]) => `Product ${unknown[0]?.product_id} not found`,
  (unknown): ErrorExtras => ({ members: { details: unknown.map((line) => ({ ...line, available: 0 })) } }),
  {
    sample: [[{ product_id: 7, requested: 1, available: null }]],
    members: shortLines('The products that are not sold, or no longer.'),
  },
);
/** Names as many short products as fit. `details` lists every short line, so that a storefront can correct the whole basket in one step. */
export const InsufficientStock = defineError(
  400,
  'insufficient_stock',
  (short: Shortage[]) =>
    shorten(`Insufficient stock for product ${short.map((line) => line.product_id).join(', ')}`, MAX_TEXT),
  (short): ErrorExtras => ({ members: { details: short } }),
  {
    sample: [[{ product_id: 1, requested: 5, available: 2 }]],
    members: shortLines('The products with too little stock.'),
  },
);
export const PriceChanged = defineError(
  409,
  'price_changed',
  (_quote: object) => 'The total differs from expected_total',
  (quote): ErrorExtras => ({ members: { quote } }),
  {
    sample: [
      {
        products: [{ product_id: 1, name: 'Desk lamp', price: 39.9, quantity: 1, subtotal: 39.9 }],
        total_amount: 39.9,
        currency: 'USD',
      },
    ],
    members: z.object({ quote: quoteResponse }),
  },
);
/** An order's total stays below 2^53 minor units, so that every JSON parser reads it exactly. */
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
  { sample: [1] },
);

/** The order was abandoned before it was placed; nothing is reserved, and the request may be repeated. */
export const notPlaced = (): AppError =>
  new Unavailable('The order could not be placed in time, nothing was ordered', 1);

/** The expected failures of each operation: what its use-case may throw. */
export const errorsOf = {
  placeOrder: [
    ProductNotFound,
    InsufficientStock,
    PriceChanged,
    TotalTooLarge,
    IdempotencyInFlight,
    IdempotencyMismatch,
    ProductServiceUnavailable,
    ProductBusy,
  ],
  quoteOrder: [ProductNotFound, InsufficientStock, PriceChanged, TotalTooLarge, ProductServiceUnavailable],
};
