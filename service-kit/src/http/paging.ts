import { z } from 'zod';
import { MalformedRequest } from '../errors/http-errors.ts';
import { parseJson } from '../text/texts.ts';
import { count, INT32_MAX, integerQuery, text } from './fields.ts';

/** The last row that a page number can reach. A cursor costs the same at any depth. */
const DEEPEST_ROW = 10_000;
/** Counting may stop here: this is enough for `pages` and `pages_capped`. */
export const MOST_COUNTED = DEEPEST_ROW + 1;
const MAX_PER_PAGE = 100;
/** Fits a sort key of 200 characters, each written as a JSON escape, in base64. */
const MAX_CURSOR_LENGTH = 2048;

/** Query fields of every list. `page` has no default here: only its absence allows a `cursor`. */
export function pagingQuery(defaultPerPage: number) {
  return {
    page: integerQuery('page', { min: 1, max: Number.MAX_SAFE_INTEGER })
      .optional()
      .meta({
        description: `Number of the page, from 1. Without \`page\` and \`cursor\` it is 1. Pages end at row ${DEEPEST_ROW.toLocaleString('en')}; use a \`cursor\` beyond it.`,
      }),
    per_page: integerQuery('per_page', { min: 1, max: MAX_PER_PAGE })
      .default(defaultPerPage)
      .meta({ description: 'Rows per page.', byDefault: defaultPerPage }),
    cursor: text('cursor', { max: MAX_CURSOR_LENGTH, trim: false }).optional().meta({
      description:
        'Instead of `page`: the `next_cursor` of the previous page, with the same filters and sort order. Costs the same at any depth.',
    }),
  };
}

/** Fields that every list returns with its rows. */
export const pagingResponse = {
  total: count(
    `Number of matching rows. Exact up to ${DEEPEST_ROW.toLocaleString('en')}; a lower bound if \`pages_capped\` is true.`,
  ),
  page: z
    .int()
    .min(1)
    .nullable()
    .meta({ description: 'Number of this page; null after a `cursor`.', examples: [1] }),
  pages: count('The last page that can be requested by number.'),
  pages_capped: z.boolean().meta({
    description: 'True if there are more rows than pages can reach: follow `next_cursor`.',
    examples: [false],
  }),
  per_page: z
    .int()
    .meta({ description: 'Rows per page.', minimum: 1, maximum: MAX_PER_PAGE, examples: [20] }),
  next_cursor: z
    .string()
    .nullable()
    .meta({
      description: 'The `cursor` of the next page; null on the last one.',
      maxLength: MAX_CURSOR_LENGTH,
      examples: [null],
    }),
};

/** Up to `limit` rows, from the row at `offset` or after the row with the sort key `after`. */
export interface Window<Key> {
  limit: number;
  page: number | null;
  offset: number;
  after: Key | undefined;
}

/**
 * @param key schema of the sort key in a cursor of this list; any other cursor is refused
 * @throws MalformedRequest 400 for page and cursor together, a page that is too deep, or a cursor of another list
 */
export function toWindow<Key>(
  query: { page?: number | undefined; per_page: number; cursor?: string | undefined },
  key: z.ZodType<Key>,
): Window<Key> {
  const { per_page: limit, cursor } = query;
  if (cursor !== undefined) {
    if (query.page !== undefined) throw new MalformedRequest('Use either page or cursor, not both');
    return { limit, page: null, offset: 0, after: decodeCursor(cursor, key) };
  }
  const page = query.page ?? 1;
  if (page * limit > DEEPEST_ROW) {
    throw new MalformedRequest(`Pages end at row ${DEEPEST_ROW}; to go further, send next_cursor as cursor`);
  }
  return { limit, page, offset: (page - 1) * limit, after: undefined };
}

/**
 * Builds a page and its paging fields from up to one row more than asked for, which shows whether a next page exists.
 * @param rows up to `limit + 1` rows
 * @param keyOf the sort key of a row, for the cursor after it
 */
export function toPage<Row, Key>(window: Window<Key>, rows: Row[], total: number, keyOf: (row: Row) => Key) {
  const shown = rows.slice(0, window.limit);
  const last = shown.at(-1);
  const pages = Math.ceil(total / window.limit);
  const reachable = Math.floor(DEEPEST_ROW / window.limit);
  return {
    rows: shown,
    paging: {
      total,
      page: window.page,
      pages: Math.min(pages, reachable),
      pages_capped: pages > reachable,
      per_page: window.limit,
      next_cursor: last !== undefined && rows.length > window.limit ? encodeCursor(keyOf(last)) : null,
    },
  };
}

const encodeCursor = (key: unknown) => Buffer.from(JSON.stringify(key)).toString('base64url');

function decodeCursor<Key>(cursor: string, key: z.ZodType<Key>): Key {
  const parsed = key.safeParse(parseJson(Buffer.from(cursor, 'base64url').toString()));
  if (!parsed.success) throw new MalformedRequest('This cursor belongs to another list');
  return parsed.data;
}

/** The cursor of lists in id order. */
export const idCursor = z.tuple([z.int().min(1).max(INT32_MAX)]).readonly();

/** As in the cursors that `toPage` makes: Postgres refuses a time with too many digits, and has no year 0. */
export const pageInstant = z.iso.datetime({ precision: 3 }).refine((text) => !text.startsWith('0000'));
const timeAndId = (maxId: number) => z.tuple([pageInstant, z.int().min(1).max(maxId)]).readonly();
/** The cursor of lists in order of time, with ids of the type `integer`: the time and id of the last row shown. */
export const timeCursor = timeAndId(INT32_MAX);
/** The same, with ids of the type `bigint`. */
export const bigintTimeCursor = timeAndId(Number.MAX_SAFE_INTEGER);
export type TimeKey = z.output<typeof timeCursor>;
