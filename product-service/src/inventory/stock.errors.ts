import { defineError } from '@shop/service-kit/errors/app-error';
import { MAX_STOCK } from '../products/product.fields.ts';

export const InsufficientStock = defineError(400, 'insufficient_stock', 'Insufficient stock');
export const StockLimitExceeded = defineError(
  400,
  'stock_limit_exceeded',
  `Stock must be at most ${MAX_STOCK}`,
);
