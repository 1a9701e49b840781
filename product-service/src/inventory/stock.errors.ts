import { defineError, type ErrorExtras } from '@shop/service-kit/errors/app-error';
import { Forbidden } from '@shop/service-kit/errors/http-errors';
import { count, id } from '@shop/service-kit/http/fields';
import { z } from 'zod';
import { ProductBusy, ProductNotFound, VersionMismatch } from '../products/product.errors.ts';
import { MAX_STOCK } from '../products/product.fields.ts';

const shortLine = z
  .object({
    product_id: id('Id of the product.'),
    requested: z.int().meta({ description: 'Units requested.', minimum: 1, examples: [5] }),
    available: count('Units that were available at that moment; 0 of a product that is not sold.', 2),
  })
  .meta({ id: 'ShortLine', description: 'A product with fewer units available than were requested.' });

export const InsufficientStock = defineError(
  400,
  'insufficient_stock',
  'Insufficient stock',
  (short: z.output<typeof shortLine>): ErrorExtras => ({ members: { details: [short] } }),
  {
    sample: [{ product_id: 1, requested: 5, available: 2 }],
    members: z.object({
      details: z.array(shortLine).meta({ description: 'The products with too little stock.', maxItems: 100 }),
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
  adjustStock: [
    InsufficientStock,
    StockLimitExceeded,
    Forbidden,
    ProductNotFound,
    VersionMismatch,
    ProductBusy,
  ],
  listStockMovements: [Forbidden, ProductNotFound],
};
