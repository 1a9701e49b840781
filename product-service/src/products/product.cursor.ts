import { INT32_MAX, text } from '@shop/service-kit/http/fields';
import { z } from 'zod';
import { MAX_NAME } from './product.fields.ts';

const sorts = ['id', 'price', 'name', 'created_at'] as const;
export const productSort = z.enum([...sorts, '-id', '-price', '-name', '-created_at', 'relevance'], {
  error: `sort must be one of ${sorts.join(', ')}, each also with - in front, or relevance`,
});

/** The order of a list; `ids` is the order of the requested ids. */
export type ProductSort = z.output<typeof productSort> | 'ids';

const idKey = z.int().min(1).max(INT32_MAX);
const numberKey = z.int().min(0);
/** The last instant that can be written with a year of four digits, in milliseconds since 1970. */
const instantKey = z.int().min(0).max(253_402_300_799_999);
const nameKey = text('name', { min: 0, max: MAX_NAME, trim: false });

const CURSOR_KEYS: Record<string, z.ZodType<string | number>> = {
  name: nameKey,
  created_at: instantKey,
  relevance: z.int().min(1).max(20),
};

/** The content of a cursor: its order, and the sort value and id of the last row shown. */
export type ProductKey = readonly [sort: ProductSort, value: string | number, id: number];

const cursorOf = (sort: ProductSort): z.ZodType<ProductKey> =>
  z.tuple([z.literal(sort), CURSOR_KEYS[sort.replace('-', '')] ?? numberKey, idKey]).readonly();
const CURSORS = new Map([...productSort.options, 'ids' as const].map((sort) => [sort, cursorOf(sort)]));

/** The cursors of lists in this order; a cursor of another order is invalid. */
export function productCursor(sort: ProductSort): z.ZodType<ProductKey> {
  const known = CURSORS.get(sort);
  if (known === undefined) throw new RangeError(`There is no cursor for the order ${sort}`);
  return known;
}
