import {
  count,
  INT32_MAX,
  id,
  inOrder,
  instantOf,
  integerQuery,
  message,
  optional,
  rangeQuery,
  text,
} from '@shop/service-kit/http/fields';
import { pagingAnswer, pagingQuery } from '@shop/service-kit/http/paging';
import type { Money } from '@shop/service-kit/money/money';
import { z } from 'zod';
import { shippingAddress, storedAddress } from '../addresses/address.schemas.ts';
import { ORDER_STATUSES } from './order.status.ts';

const MAX_LINES = 100;
const MAX_QUANTITY = 10_000;
const MAX_NOTE = 1000;

/** A field of a line; the original's texts name the line by its index. */
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

const orderedLine = z.strictObject(
  { product_id: lineInteger('product_id', INT32_MAX), quantity: lineInteger('quantity', MAX_QUANTITY) },
  {
    error: (issue) =>
      issue.code === 'invalid_type'
        ? `Product ${String(issue.path?.[1] ?? 0)}: must be an object`
        : undefined,
  },
);

const orderedLines = z
  .array(orderedLine, {
    error: (issue) => (issue.input == null ? 'Products are required' : 'Products must be a non-empty list'),
  })
  .min(1, { error: 'Products must be a non-empty list', abort: true })
  .max(MAX_LINES, { error: `Products must be at most ${MAX_LINES} lines`, abort: true })
  .transform(mergeLines);

/** Lines of one product are merged; id order is the order in which stock is locked. */
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

/** `POST /api/orders` and its quote. `expected_total` comes out in minor units. */
export const orderBody = (money: Money) =>
  z
    .strictObject({
      products: orderedLines.meta({
        description: 'What to order. Lines of one product are merged.',
        minItems: 1,
        maxItems: MAX_LINES,
        example: [{ product_id: 1, quantity: 1 }],
      }),
      expected_total: optional(expectedTotal(money)).meta({
        description:
          'The total that the buyer was shown, in major units. Where the order would cost something else, it is refused with `price_changed` and the fresh quote.',
        minimum: 0,
      }),
      shipping_address: optional(shippingAddress).meta({ description: 'Where the order goes.' }),
      note: optional(text('Note', { max: MAX_NOTE })).meta({
        description: 'For the sellers.',
        example: 'Leave it at the door',
      }),
    })
    .meta({ id: 'OrderRequest', description: 'What to order, and where it goes.' });

/** A sum may be larger than any single price. It is rounded: clients add prices as binary fractions. */
function expectedTotal(money: Money) {
  const error = 'expected_total must be an amount';
  return z
    .number({ error })
    .refine((value) => value >= 0, { error, abort: true, params: { code: 'too_small', minimum: 0 } })
    .transform(money.round)
    .refine(Number.isSafeInteger, { error: 'expected_total is too large', params: { code: 'too_large' } });
}

/** A key is told apart by its bytes: visible ASCII without spaces, bare or quoted (order-placement.md). */
export const orderHeaders = z.object({
  'idempotency-key': z
    .string()
    .transform((key) => /^"(.*)"$/.exec(key)?.[1] ?? key)
    .refine((key) => /^[\x21-\x7e]{1,255}$/.test(key), {
      error: 'Idempotency-Key must be 1 to 255 visible ASCII characters without spaces',
    })
    .optional()
    .meta({
      description:
        'Makes it safe to send the order again: 1 to 255 visible ASCII characters without spaces, such as a UUID, made once for each basket. See the description.',
      minLength: 1,
      maxLength: 257,
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
          "`own`: the caller's orders. `selling`: orders with products that the caller sold. `all`: every order, for admins.",
        byDefault: 'own',
      }),
  })
  .refine(...inOrder)
  .refine(({ scope, user_id }) => scope !== 'selling' || user_id === undefined, {
    error: 'user_id cannot be combined with scope=selling',
    path: ['user_id'],
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
  .meta({ id: 'OrderStatusChange' });

const major = (description: string, example: number) =>
  z.number().meta({ description, minimum: 0, examples: [example] });
const currency = z.string().meta({
  description: 'ISO 4217 code of all amounts, which are in its major units.',
  minLength: 3,
  maxLength: 3,
  examples: ['USD'],
});
const orderLine = z
  .object({
    product_id: id('Id of the product.'),
    name: z.string().meta({
      description: 'Name of the product when it was ordered.',
      maxLength: 200,
      examples: ['Desk lamp'],
    }),
    price: major('Price of one unit when it was ordered, in major units of `currency`.', 39.9),
    quantity: z.int().meta({ description: 'Units.', minimum: 1, maximum: MAX_QUANTITY, examples: [1] }),
    subtotal: major('`price` × `quantity`.', 39.9),
  })
  .meta({ id: 'OrderLine', description: 'A product of an order, as it was when it was ordered.' });
const lines = z
  .array(orderLine)
  .meta({ description: 'Ascending by `product_id`, each product once.', maxItems: MAX_LINES });
const statusIn = (description: string) => z.enum(ORDER_STATUSES).meta({ description, examples: ['pending'] });

export const orderAnswer = z
  .object({
    id: id('Id of the order.'),
    user_id: id('Id of the buyer.'),
    products: lines,
    total_amount: major('Sum of all subtotals.', 39.9),
    partial: z.literal(true).optional().meta({
      description:
        'Present for a seller where the order has lines of other sellers: these are left out, of the total as well.',
    }),
    currency,
    status: statusIn('Where the order stands.'),
    allowed_transitions: z
      .array(z.enum(ORDER_STATUSES))
      .readonly()
      .meta({
        description: 'Statuses that the caller may set now. A buyer sets `cancelled` by DELETE.',
        maxItems: ORDER_STATUSES.length,
        examples: [['cancelled']],
      }),
    shipping_address: storedAddress,
    note: z
      .string()
      .nullable()
      .meta({
        description: 'A note of the buyer; null where there is none, and after the buyer was deleted.',
        maxLength: MAX_NOTE,
        examples: ['Leave it at the door'],
      }),
    created_at: instantOf('When it was placed.'),
    updated_at: instantOf('When its status last changed.'),
  })
  .meta({ id: 'Order', description: 'An order. A seller sees the lines of their own products only.' });

export const oneOrder = z.object({ order: orderAnswer });
export const orderWithMessage = (text: string) => z.object({ message: message(text), order: orderAnswer });
export const placedOrder = orderWithMessage('Order created successfully');
export const orderList = z
  .object({
    orders: z.array(orderAnswer).meta({ description: 'The rows of this page.', maxItems: 100 }),
    ...pagingAnswer,
  })
  .meta({ id: 'OrderPage', description: 'Orders, newest first.' });
export const quoteAnswer = z
  .object({ products: lines, total_amount: major('Sum of all subtotals.', 39.9), currency })
  .meta({ id: 'Quote', description: 'What an order would cost now. Nothing is held.' });
export const statsAnswer = z
  .object({
    total_orders: count('All orders, cancelled ones included.', 3),
    total_spent: major('Sum of all orders that are not cancelled.', 79.8),
    pending_orders: count('Orders that are pending.'),
    completed_orders: count('Orders that are delivered.'),
    cancelled_orders: count('Orders that are cancelled.'),
    currency,
  })
  .meta({ id: 'OrderStats', description: "Counts of the caller's orders." });
const statusText = z.string().meta({ enum: ORDER_STATUSES });
export const historyAnswer = z.object({
  history: z
    .array(
      z
        .object({
          from: statusText.nullable().meta({
            description: 'The status before; null for the first entry.',
            examples: [null],
          }),
          to: statusText.meta({ description: 'The status that was set.', examples: ['pending'] }),
          actor: z.string().meta({
            description: '`user:` and the id of whoever set it, or `service:` and a name.',
            maxLength: 100,
            examples: ['user:1'],
          }),
          at: instantOf('When it was set.'),
        })
        .meta({ id: 'StatusChange', description: 'A status that an order had.' }),
    )
    .meta({ description: 'Oldest first.', maxItems: ORDER_STATUSES.length }),
});

export type OrderRequest = z.output<ReturnType<typeof orderBody>>;
export type ListQuery = z.output<typeof listQuery>;
