import { booleanQuery, count, textOf } from '@shop/service-kit/http/fields';
import { z } from 'zod';

export const importQuery = z.object({
  dry_run: booleanQuery('dry_run')
    .default(false)
    .meta({ description: 'Checks the file and counts, but writes nothing.', byDefault: false }),
  stock: z.literal('set', { error: 'stock must be set' }).optional().meta({
    description:
      'With `set`, the stock of existing products is set too. Otherwise they keep theirs, so that an older file does not bring sold units back.',
  }),
  unknown: z
    .literal('ignore', { error: 'unknown must be ignore' })
    .optional()
    .meta({ description: 'With `ignore`, unknown fields are ignored. Otherwise their rows fail.' }),
});

export type ImportQuery = z.output<typeof importQuery>;

const refusedRow = z
  .object({
    line: z.int().meta({ description: 'Line of the file, from 1.', minimum: 1, examples: [3] }),
    message: textOf('Why it was refused.', 300, 'Name is required'),
  })
  .meta({ id: 'RefusedRow', description: 'A row of an imported file that was refused.' });

export const importResponse = z
  .object({
    created: count('Rows that created a product.'),
    updated: count('Rows that changed the product with their SKU.'),
    unchanged: count('Rows that changed nothing.', 0),
    failed: count('Rows that were refused.', 0),
    stock_kept: count(
      'Updated and unchanged rows whose stock differs from that of their product, which was kept.',
      0,
    ),
    errors: z
      .array(refusedRow)
      .meta({ description: 'The refused rows, or the first of them.', maxItems: 100, examples: [[]] }),
    errors_truncated: z
      .boolean()
      .meta({ description: 'More rows were refused than are listed.', examples: [false] }),
  })
  .meta({ id: 'ImportResult', description: 'The outcome of an import.' });

/** The counts up to the failure, which a failed import adds to its problem document. */
export const importProgress = z.object({
  ...importResponse.shape,
  last_line: z.int().meta({
    description: 'The last line that was processed before the import ended early.',
    minimum: 0,
  }),
});
