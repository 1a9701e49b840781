import { defineError, type ErrorExtras } from '@shop/service-kit/errors/app-error';
import { shortLine } from '@shop/service-kit/errors/error.schemas';
import { Forbidden } from '@shop/service-kit/errors/http-errors';
import { z } from 'zod';
import { ProductNotFound, VersionMismatch } from '../products/product.errors.ts';
import { MAX_STOCK } from '../products/product.fields.ts';

export const InsufficientStock = defineError(
  400,
  'insufficient_stock',
  'Insufficient stock',
  (short: z.output<typeof shortLine>): ErrorExtras => ({ members: { details: [short] } }),
  {
    sample: [{ product_id: 1, requested: 5, available: 2 }],
    members: z.object({
      details: z
        .array(shortLine)
        .meta({ description: 'The products of which too few are left.', maxItems: 100 }),
    }),
  },
);
export const StockLimitExceeded = defineError(
  400,
  'stock_limit_exceeded',
  `Stock must be at most ${MAX_STOCK}`,
);

/** The expected failures of each operation: what its use-case may throw. */
export const errorsOf = {
  adjustStock: [InsufficientStock, StockLimitExceeded, Forbidden, ProductNotFound, VersionMismatch],
  listStockMovements: [Forbidden, ProductNotFound],
};
