import {
  amount,
  amountQuery,
  booleanQuery,
  fieldCode,
  INT32_MAX,
  integerQuery,
  message,
  optional,
  text,
} from '@shop/service-kit/http/fields';
import { pagingQuery, pagingResponse } from '@shop/service-kit/http/paging';
import type { Money } from '@shop/service-kit/money/money';
import { z } from 'zod';
import { type ProductSort, productSort } from './product.cursor.ts';
import { changed, type FIELD_COLUMNS, initial, MAX_CATEGORY, name, withInitial } from './product.fields.ts';
import { productShape } from './product.shape.ts';

/** A product as use cases see it. */
export interface Product {
  id: number;
  name: string;
  description: string | null;
  /** Minor units of the deployment's currency. */
  price_minor: number;
  stock: number;
  category: string;
  sku: string | null;
  image_url: string | null;
  owner_id: number;
  /** Counts changes of catalogue fields. */
  version: number;
  /** Counts all changes, including those of the stock; not in responses. */
  revision: number;
  created_at: Date;
  updated_at: Date;
}

/** The fields that a client may set. */
export type ProductFields = Pick<Product, keyof typeof FIELD_COLUMNS>;

const MAX_IDS = 100;
const MAX_SEARCH = 200;
const DEFAULT_PER_PAGE = 20;

const IDS = /^[1-9]\d{0,9}(,[1-9]\d{0,9})*$/;
const ids = z
  .string()
  .refine((list) => IDS.test(list), {
    error: 'ids must be product ids, separated by commas',
    abort: true,
    ...fieldCode('not_an_integer', { minimum: 1, maximum: INT32_MAX }),
  })
  .transform((list) => [...new Set(list.split(',').map(Number))])
  .refine((list) => list.length <= MAX_IDS, {
    error: `ids must be at most ${MAX_IDS}`,
    ...fieldCode('too_long', { maximum: MAX_IDS }),
  })
  .refine((list) => list.every((id) => id <= INT32_MAX), {
    error: `ids must be at most ${INT32_MAX} each`,
    ...fieldCode('too_large', { maximum: INT32_MAX }),
  })
  .meta({ pattern: IDS.source });

export const categoriesQuery = z.object({
  counts: booleanQuery('counts')
    .default(false)
    .meta({ description: 'Whether to add the number of products of each category.', byDefault: false }),
});

/** `If-Match`: the change is made only if the product has not changed since it was read. */
export const changeHeaders = z.object({
  'if-match': z.string().max(1000, 'If-Match must be at most 1000 characters').optional().meta({
    description: 'The `ETag` of the product as it was read. If it is stale, the change is refused with 412.',
  }),
});

const pricesInOrder = [
  ({ min_price = 0, max_price = Number.POSITIVE_INFINITY }: PriceRange) => min_price <= max_price,
  {
    error: 'min_price must not be above max_price',
    path: ['min_price'] as PropertyKey[],
    ...fieldCode('not_in_order'),
  },
] as const;

interface PriceRange {
  min_price?: number | undefined;
  max_price?: number | undefined;
}

/** The schemas that depend on the deployment's currency. */
export function createProductSchemas(money: Money) {
  const price = amount('Price', money);
  const required = { name, price };
  const filters = {
    q: text('q', { max: MAX_SEARCH }).optional().meta({ description: 'Words to search for.' }),
    category: text('category', { max: MAX_CATEGORY })
      .optional()
      .meta({ description: 'Only products of this category, in any case.' }),
    min_price: amountQuery('min_price', money)
      .optional()
      .meta({ description: `Lowest price, in major units (${money.currency}).` }),
    max_price: amountQuery('max_price', money)
      .optional()
      .meta({ description: `Highest price, in major units (${money.currency}).` }),
    in_stock: booleanQuery('in_stock')
      .optional()
      .meta({ description: 'Only products that are in stock, or only those that are not.' }),
    owner_id: integerQuery('owner_id', { min: 1, max: INT32_MAX })
      .optional()
      .meta({ description: 'Only products of this seller.' }),
    ids: ids.optional().meta({
      description: `Only these products, at most ${MAX_IDS} ids separated by commas, in this order unless \`sort\` is set.`,
      maxLength: MAX_IDS * 11,
    }),
  };
  // Field by field, because object rest and spread cost several times as much, and lists consist of this.
  const shown = (product: Product): z.input<typeof productShape> => ({
    id: product.id,
    name: product.name,
    description: product.description ?? '',
    price: money.toMajor(product.price_minor),
    currency: money.currency,
    stock: product.stock,
    category: product.category,
    sku: product.sku,
    image_url: product.image_url,
    owner_id: product.owner_id,
    version: product.version,
    created_at: product.created_at,
    updated_at: product.updated_at,
  });
  const product = z.custom<Product>().transform(shown).pipe(productShape);

  return {
    createBody: z
      .strictObject({ ...required, ...initial })
      .meta({ id: 'NewProduct', description: 'A product to put on sale.' })
      .transform(toFields)
      .transform(withInitial),
    replaceBody: z
      .strictObject({ ...required, ...changed })
      .meta({ id: 'ProductReplacement', description: 'The fields of a product to change.' })
      .transform(toFields),
    changeBody: z
      .strictObject({ ...changed, ...z.strictObject(required).partial().shape })
      .refine((body) => Object.values(body).some((value) => value !== undefined), {
        error: 'Give at least one field to change',
        ...fieldCode('required'),
      })
      .meta({ id: 'ProductUpdate', minProperties: 1, description: 'At least one field to change.' })
      .transform(toFields),
    /** A row of a file: the fields of a new product, or the changed fields of an existing one. Blank counts as absent. */
    importRow: z
      .strictObject({ name: optional(name), price: optional(price), ...initial })
      .transform(toFields),
    exportQuery: z
      .object({
        ...filters,
        owner_id: filters.owner_id.meta({
          description: 'Only products of this seller; of another one for admins only.',
        }),
        ids: filters.ids.meta({
          description: `Only these products, at most ${MAX_IDS} ids separated by commas.`,
        }),
        format: z
          .enum(['csv', 'ndjson'], { error: 'format must be csv or ndjson' })
          .default('csv')
          .meta({ description: 'Format of the file.', byDefault: 'csv' }),
      })
      .refine(...pricesInOrder),
    listQuery: z
      .object({
        ...pagingQuery(DEFAULT_PER_PAGE),
        per_page: integerQuery('per_page', { min: 1, max: 100 })
          .optional()
          .meta({ description: `Rows of a page: ${DEFAULT_PER_PAGE}, or all with \`ids\`.` }),
        ...filters,
        sort: productSort.optional().meta({
          description: 'Order of the list: `id`, or `relevance` with `q`. With `-` in front: descending.',
        }),
      })
      .refine(...pricesInOrder)
      .refine(({ sort, q }) => sort !== 'relevance' || q !== undefined, {
        error: 'sort=relevance needs q',
        path: ['q'],
        ...fieldCode('required'),
      })
      .transform(withDefaults),
    productResponse: z.object({ product }),
    createdResponse: z.object({ message: message('Product created successfully'), product }),
    changedResponse: z.object({ message: message('Product updated successfully'), product }),
    adjustedResponse: z.object({ message: message('Stock updated successfully'), product }),
    listResponse: z
      .object({
        products: z.array(product).meta({ description: 'The rows of this page.', maxItems: MAX_IDS }),
        ...pagingResponse,
        total: pagingResponse.total.meta({
          description: 'Number of matching rows; exact unless `total_is_estimate` is true.',
        }),
        total_is_estimate: z.boolean().meta({
          description:
            'True if more than 10,000 rows are expected to match. `total` is an estimate then, which may be too high or too low, most of all in the minute after many changes.',
          examples: [false],
        }),
      })
      .meta({ id: 'ProductPage', description: 'A page of products.' }),
  };
}

function toFields<Body extends { price?: number | undefined }>({ price, ...rest }: Body) {
  return { ...rest, price_minor: price as Body['price'] };
}

/**
 * Unless the query says otherwise, products requested by id come all at once in that order, and search results with the
 * best match first.
 */
function withDefaults<
  Query extends {
    ids?: number[] | undefined;
    per_page?: number | undefined;
    q?: string | undefined;
    sort?: ProductSort | undefined;
  },
>(query: Query) {
  const byIds = query.ids !== undefined;
  return {
    ...query,
    per_page: query.per_page ?? (byIds ? MAX_IDS : DEFAULT_PER_PAGE),
    sort: query.sort ?? (query.q !== undefined ? 'relevance' : byIds ? 'ids' : 'id'),
  };
}

export type ProductSchemas = ReturnType<typeof createProductSchemas>;
export type ProductQuery = z.output<ProductSchemas['listQuery']>;
export type ExportQuery = z.output<ProductSchemas['exportQuery']>;
