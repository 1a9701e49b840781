import { INT32_MAX, inOrder, integerQuery, optional, rangeQuery, text } from '@shop/service-kit/http/fields';
import { pagingQuery } from '@shop/service-kit/http/paging';
import type { Money } from '@shop/service-kit/money/money';
import { z } from 'zod';
import { shippingAddress } from '../addresses/address.schemas.ts';
import { ORDER_STATUSES } from './order.status.ts';

export const MAX_LINES = 100;
export const MAX_QUANTITY = 10_000;
export const MAX_NOTE = 1000;

/** A field of a line; the messages, as in the original API, name the line by its index. */
function lineInteger(name: 'product_id' | 'quantity', max: number) {
  const lineOf = (issue: { path?: PropertyKey[] | undefined }) =>
    `Product ${String(issue.path?.[1] ?? 0)}: ${name}`;
  const wrong = (issue: { path?: PropertyKey[] | undefined }) =>
    `${lineOf(issue)} must be a positive integer`;
  return z
    .number({ error: (issue) => (issue.input == null ? `${lineOf(issue)} is required` : wrong(issue)) })
    .refine(Number.isInteger, { error: wrong, abort: true, params: { code: 'not_an_integer' } })
    .refine((value) => value >= 1, { error: wrong, abort: true, params: { code: 'too_small', minimum: 1 } })
    .refine((value) => value <= max, {
      error: (issue) => `${lineOf(issue)} must be at most ${max}`,
      params: { code: 'too_large', maximum: max },
    })
    .meta({
      type: 'integer',
      minimum: 1,
      maximum: max,
      description: name === 'quantity' ? 'Units.' : 'Id of the product.',
      example: 1,
    });
}

const orderedLine = z
  .strictObject(
    { product_id: lineInteger('product_id', INT32_MAX), quantity: lineInteger('quantity', MAX_QUANTITY) },
    {
      error: (issue) =>
        issue.code === 'invalid_type'
          ? `Product ${String(issue.path?.[1] ?? 0)}: must be an object`
          : undefined,
    },
  )
  .meta({ id: 'BasketLine', description: 'A product to order, and the number of units.' });

const orderedLines = z
  .array(orderedLine, {
    error: (issue) => (issue.input == null ? 'Products are required' : 'Products must be a non-empty list'),
  })
  .min(1, { error: 'Products must be a non-empty list', abort: true })
  .max(MAX_LINES, { error: `Products must be at most ${MAX_LINES} lines`, abort: true })
  .transform(mergeLines);

/** Merges lines of the same product, and sorts them by id, the order in which stock is locked. */
function mergeLines(lines: z.output<typeof orderedLine>[], context: z.RefinementCtx) {
  const quantities = new Map<number, number>();
  lines.forEach(({ product_id, quantity }, i) => {
    const sum = (quantities.get(product_id) ?? 0) + quantity;
    quantities.set(product_id, sum);
    if (sum <= MAX_QUANTITY || sum - quantity > MAX_QUANTITY) return;
    context.addIssue({
      code: 'custom',
      path: [i, 'quantity'],
      message: `Product ${i}: quantity must be at most ${MAX_QUANTITY} in all lines of the product`,
      params: { code: 'too_large', maximum: MAX_QUANTITY },
    });
  });
  return [...quantities]
    .map(([product_id, quantity]) => ({ product_id, quantity }))
    .sort((a, b) => a.product_id - b.product_id);
}

/** `POST /api/orders` and its quote. `expected_total` is parsed to minor units. */
export const orderBody = (money: Money) =>
  z
    .strictObject({
      products: orderedLines.meta({
        description: `The lines to order. Lines of the same product are merged; together they may have at most ${MAX_QUANTITY} units.`,
        minItems: 1,
        maxItems: MAX_LINES,
        example: [{ product_id: 1, quantity: 1 }],
      }),
      expected_total: optional(expectedTotal(money)).meta({
        description:
          'The total shown to the buyer, in major units. If the order would cost something else, it is refused with `price_changed` and a new quote. Rounded to the decimals of the currency.',
        minimum: 0,
      }),
      shipping_address: optional(shippingAddress).meta({ description: 'Shipping address.' }),
      note: optional(text('Note', { max: MAX_NOTE })).meta({
        description: 'A note for the sellers.',
        example: 'Leave it at the door',
      }),
    })
    .meta({ id: 'OrderRequest', description: 'The lines of an order and its shipping address.' });

/** May be larger than any single price. Rounded, because clients add prices as binary fractions. */
function expectedTotal(money: Money) {
  const error = 'expected_total must be an amount';
  return z
    .number({ error })
    .refine((value) => value >= 0, { error, abort: true, params: { code: 'too_small', minimum: 0 } })
    .transform(money.round)
    .refine(Number.isSafeInteger, {
      error: 'expected_total is too large',
      params: { code: 'too_large', maximum: money.toMajor(Number.MAX_SAFE_INTEGER) },
    });
}

const MAX_KEY = 255;
const WRONG_KEY = `Idempotency-Key must be 1 to ${MAX_KEY} visible ASCII characters without spaces`;

/** Keys are compared byte by byte: visible ASCII without spaces, bare or quoted (docs/order-placement.md). */
export const orderHeaders = z.object({
  'idempotency-key': z
    .string()
    .transform((key) => /^"(.*)"$/.exec(key)?.[1] ?? key)
    .refine((key) => key.length <= MAX_KEY, {
      error: WRONG_KEY,
      abort: true,
      params: { code: 'too_long', maximum: MAX_KEY },
    })
    .refine((key) => /^[\x21-\x7e]+$/.test(key), {
      error: WRONG_KEY,
      params: { code: 'invalid_characters' },
    })
    .optional()
    .meta({
      description:
        'Makes retries safe: 1 to 255 visible ASCII characters without spaces, such as a UUID, generated once for each basket. See the description.',
      minLength: 1,
      maxLength: 257,
      pattern: '^[!-~]+$',
    }),
});

const statusQuery = z.enum(ORDER_STATUSES, { error: `status must be one of: ${ORDER_STATUSES.join(', ')}` });

export const listQuery = z
  .object({
    ...pagingQuery(10),
    status: statusQuery.optional().meta({ description: 'Only orders with this status.' }),
    ...rangeQuery(),
    user_id: integerQuery('user_id', { min: 1, max: INT32_MAX })
      .optional()
      .meta({ description: 'Only orders of this buyer. For admins, with `scope=all`.' }),
    scope: z
      .enum(['own', 'selling', 'all'], { error: 'scope must be own, selling or all' })
      .default('own')
      .meta({
        description:
          "`own`: the caller's orders. `selling`: orders with products sold by the caller. `all`: every order, for admins.",
        byDefault: 'own',
      }),
  })
  .refine(...inOrder)
  .refine(({ scope, user_id }) => scope !== 'selling' || user_id === undefined, {
    error: 'user_id cannot be combined with scope=selling',
    path: ['user_id'],
    params: { code: 'not_allowed' },
  });

export const statusBody = z
  .strictObject({
    status: z
      .enum(ORDER_STATUSES, {
        error: (issue) =>
          issue.input == null || issue.input === ''
            ? 'Status is required'
            : `Invalid status. Must be one of: ${ORDER_STATUSES.join(', ')}`,
      })
      .meta({ description: 'The status to set.', example: 'processing' }),
  })
  .meta({ id: 'OrderStatusChange', description: 'The new status of an order.' });

export type OrderRequest = z.output<ReturnType<typeof orderBody>>;
export type ListQuery = z.output<typeof listQuery>;
