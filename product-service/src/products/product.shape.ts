import { count, id, instantOf, message, textOf } from '@shop/service-kit/http/fields';
import { z } from 'zod';
import { MAX_CATEGORY, MAX_NAME, shownFields } from './product.fields.ts';

/** Responses that do not depend on the deployment's currency. */

export const messageResponse = z.object({ message: message('Product deleted successfully') });
const MOST_CATEGORIES = 1000;
export const categoriesResponse = z
  .object({
    categories: z.array(z.string().meta({ maxLength: MAX_CATEGORY })).meta({
      description: 'Sorted.',
      maxItems: MOST_CATEGORIES,
      examples: [['Audio', 'Lighting']],
    }),
    counts: z
      .record(z.string(), z.int().meta({ minimum: 1 }))
      .optional()
      .meta({ description: 'Products of each category, with `counts=true`.' }),
  })
  .meta({ id: 'Categories', description: 'The categories that have products.' });

const { description, ...otherFields } = shownFields;

/** A product as clients see it. */
export const productShape = z
  .object({
    id: id('Id of the product.'),
    name: textOf('Name.', MAX_NAME, 'Desk lamp'),
    description,
    price: z.number().meta({
      description: 'Price of one unit, in major units of `currency`.',
      minimum: 0,
      examples: [39.9],
    }),
    currency: z
      .string()
      .meta({ description: 'ISO 4217 code.', minLength: 3, maxLength: 3, examples: ['USD'] }),
    stock: count(
      'Units in stock. May be up to 5 s old in lists; availability is decided when an order is placed.',
      50,
    ),
    ...otherFields,
    owner_id: id('Id of the seller.'),
    version: z
      .int()
      .meta({ description: 'Counts changes except those of the stock.', minimum: 1, examples: [1] }),
    created_at: instantOf('When it was put on sale.'),
    updated_at: instantOf('When it last changed.'),
  })
  .meta({ id: 'Product', description: 'A product of the catalogue.' });
