import { z } from 'zod';
import { FIELD_CODES } from './app-error.ts';

/** Schemas of the lists in problem documents, for the API document. */
export const fieldIssue = z
  .object({
    path: z.string().meta({
      description: 'Name of the field, with a dot before each further step; empty for the body itself.',
      maxLength: 300,
      examples: ['products.0.quantity'],
    }),
    code: z
      .enum(FIELD_CODES)
      .meta({ description: 'What is wrong with it; stable.', examples: ['too_small'] }),
    message: z.string().meta({
      description: 'The same, for people.',
      maxLength: 300,
      examples: ['Product 0: quantity must be a positive integer'],
    }),
    minimum: z
      .number()
      .optional()
      .meta({ description: 'Least value or length.', examples: [1] }),
    maximum: z.number().optional().meta({ description: 'Greatest value, length or number of decimals.' }),
  })
  .meta({ id: 'FieldIssue', description: 'One refused field of a request.' });

const productId = z
  .int()
  .meta({ description: 'Id of the product.', minimum: 1, maximum: 2_147_483_647, examples: [1] });

export const shortLine = z
  .object({
    product_id: productId,
    requested: z.int().meta({ description: 'Units asked for.', minimum: 1, examples: [5] }),
    available: z.int().meta({
      description: 'Units that were available at that moment; 0 of a product that is not sold.',
      minimum: 0,
      examples: [2],
    }),
  })
  .meta({ id: 'ShortLine', description: 'A product of which fewer are available than were asked for.' });
