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

/** A cursor of another order is invalid for this list. */
export function productCursor(sort: ProductSort): z.ZodType<ProductKey> {
  const value = CURSOR_KEYS[sort.replace('-', '')] ?? numberKey;
  return z.tuple([z.literal(sort), value, idKey]).readonly();
}
