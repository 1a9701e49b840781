import { count, id, instantOf, message, textOf } from '@shop/service-kit/http/fields';
import { pagingResponse } from '@shop/service-kit/http/paging';
import { z } from 'zod';
import { storedAddress } from '../addresses/address.schemas.ts';
import { MAX_LINES, MAX_NOTE, MAX_QUANTITY } from './order.schemas.ts';
import { ORDER_STATUSES } from './order.status.ts';

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
    name: textOf('Name of the product at the time of the order.', 200, 'Desk lamp'),
    price: major('Price of one unit at the time of the order, in major units of `currency`.', 39.9),
    quantity: z.int().meta({ description: 'Units.', minimum: 1, maximum: MAX_QUANTITY, examples: [1] }),
    subtotal: major('`price` × `quantity`.', 39.9),
  })
  .meta({ id: 'OrderLine', description: 'A product of an order, as it was at the time of the order.' });
const lines = z
  .array(orderLine)
  .meta({ description: 'Ascending by `product_id`, each product once.', maxItems: MAX_LINES });
const statusIn = (description: string) => z.enum(ORDER_STATUSES).meta({ description, examples: ['pending'] });

export const orderResponse = z
  .object({
    id: id('Id of the order.'),
    user_id: id('Id of the buyer.'),
    products: lines,
    total_amount: major('Sum of all subtotals.', 39.9),
    partial: z.literal(true).optional().meta({
      description:
        'Present for a seller if the order has lines of other sellers: these are left out of the lines and of the total.',
    }),
    currency,
    status: statusIn('Current status.'),
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
        description: "The buyer's note; null if there is none or the buyer was deleted.",
        maxLength: MAX_NOTE,
        examples: ['Leave it at the door'],
      }),
    created_at: instantOf('When it was placed.'),
    updated_at: instantOf('When its status last changed.'),
  })
  .meta({ id: 'Order', description: 'An order. A seller sees the lines of their own products only.' });

export const oneOrder = z.object({ order: orderResponse });
export const orderWithMessage = (text: string) => z.object({ message: message(text), order: orderResponse });
export const placedOrder = orderWithMessage('Order created successfully');
export const orderList = z
  .object({
    orders: z.array(orderResponse).meta({ description: 'The rows of this page.', maxItems: 100 }),
    ...pagingResponse,
  })
  .meta({ id: 'OrderPage', description: 'Orders, newest first.' });
export const quoteResponse = z
  .object({ products: lines, total_amount: major('Sum of all subtotals.', 39.9), currency })
  .meta({ id: 'Quote', description: 'The current price of a basket. Nothing is reserved.' });
export const statsResponse = z
  .object({
    total_orders: count('All orders, including cancelled ones.', 3),
    total_spent: major('Total of all orders that are not cancelled.', 79.8),
    pending_orders: count('Orders that are pending.'),
    completed_orders: count('Orders that are delivered.'),
    cancelled_orders: count('Orders that are cancelled.'),
    currency,
  })
  .meta({ id: 'OrderStats', description: "Counts of the caller's orders." });
const statusText = z.string().meta({ enum: ORDER_STATUSES });
export const historyResponse = z.object({
  history: z
    .array(
      z
        .object({
          from: statusText.nullable().meta({
            description: 'The previous status; null for the first entry.',
            examples: [null],
          }),
          to: statusText.meta({ description: 'The status that was set.', examples: ['pending'] }),
          actor: textOf('Who set it: `user:` and an id, or `service:` and a name.', 100, 'user:1'),
          at: instantOf('When it was set.'),
        })
        .meta({ id: 'StatusChange', description: 'A status that an order has had.' }),
    )
    .meta({ description: 'Oldest first.', maxItems: ORDER_STATUSES.length }),
});
