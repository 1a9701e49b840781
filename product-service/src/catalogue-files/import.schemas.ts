import { booleanQuery } from '@shop/service-kit/http/fields';
import { z } from 'zod';

export const importQuery = z.object({
  dry_run: booleanQuery('dry_run').default(false),
  /** Also the stock of products that are there is set; otherwise it is kept. */
  stock: z.literal('set', { error: 'stock must be set' }).optional(),
  /** Fields that products do not have are ignored; otherwise their rows fail. */
  unknown: z.literal('ignore', { error: 'unknown must be ignore' }).optional(),
});

export type ImportQuery = z.output<typeof importQuery>;

export const importAnswer = z.object({
  created: z.int(),
  /** Rows that changed the product with their SKU. */
  updated: z.int(),
  /** Rows whose product already was what they say. */
  unchanged: z.int(),
  failed: z.int(),
  /** Updated and unchanged rows that have another stock than their product, which kept its own. */
  stock_kept: z.int(),
  errors: z.array(z.object({ line: z.int(), message: z.string() })),
  /** There are more refused rows than are listed. */
  errors_truncated: z.boolean(),
});
