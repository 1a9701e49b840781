import { INT32_MAX, instant, integer, integerQuery } from '@shop/service-kit/http/fields';
import { pageInstant } from '@shop/service-kit/http/paging';
import { z } from 'zod';

/** 100 lines of at most 10,000 units each (the HTTP contract, order-service), merged by product. */
const MAX_ITEMS = 100;
const MAX_QUANTITY = 1_000_000;

/** Reservations made by one call, and lines of all of them. */
const MAX_RESERVATIONS = 100;
const MAX_LINES = 1000;

/** Reservations that one call confirms or reads. */
const MAX_IDS = 500;

const item = z.strictObject({
  product_id: integer('product_id', {
    min: 1,
    max: INT32_MAX,
    wrong: 'product_id must be a positive integer',
  }),
  quantity: integer('quantity', { min: 1, max: MAX_QUANTITY, wrong: 'quantity must be a positive integer' }),
});

/** Distinct products in id order: the order in which their rows are locked. */
const items = z
  .array(item)
  .min(1)
  .max(MAX_ITEMS)
  .refine((list) => list.every((entry, i) => entry.product_id > (list[i - 1]?.product_id ?? 0)), {
    error: 'items must name each product once, in id order',
  });

const line = z.object({
  product_id: z.int(),
  quantity: z.int(),
  name: z.string(),
  price_minor: z.int(),
  owner_id: z.int(),
});

const shortage = z.object({ product_id: z.int(), requested: z.int(), available: z.int().nullable() });

const newReservation = z.strictObject({ reservation_id: z.uuid(), items });

/** Several reservations. An order-service of an earlier release sends one, without a list. */
export const reserveBody = z.union([
  newReservation,
  z.strictObject({
    reservations: z
      .array(newReservation)
      .min(1)
      .max(MAX_RESERVATIONS)
      .refine((list) => new Set(list.map((entry) => entry.reservation_id)).size === list.length, {
        error: 'reservations must name each id once',
      })
      .refine((list) => list.reduce((lines, entry) => lines + entry.items.length, 0) <= MAX_LINES, {
        error: `reservations must have at most ${MAX_LINES} items in all`,
      }),
    /** Whether to wait for locked products, within the time limit of the request. */
    wait: z.boolean().default(false),
  }),
]);

/** Several baskets. An order-service of an earlier release sends one, without a list. */
export const quoteBody = z.union([
  z.strictObject({ items }),
  z.strictObject({
    quotes: z
      .array(z.strictObject({ items }))
      .min(1)
      .max(MAX_RESERVATIONS)
      .refine((list) => list.reduce((lines, entry) => lines + entry.items.length, 0) <= MAX_LINES, {
        error: `quotes must have at most ${MAX_LINES} items in all`,
      }),
  }),
]);
export const idsBody = z.strictObject({ reservation_ids: z.array(z.uuid()).min(1).max(MAX_IDS) });
/** Whose reservations these are: up to 500 ids of orders, for the log lines. */
export const orderIdsHeader = z.object({
  'x-order-ids': z
    .string()
    .regex(/^\d{1,10}(,\d{1,10}){0,499}$/)
    .transform((list) => list.split(',').map(Number))
    .optional(),
});
export const reservationParams = z.strictObject({ id: z.uuid() });
/** With `after_time` and `after_id`, the last one of a page, the page behind it. */
export const heldQuery = z.object({
  older_than: integerQuery('older_than', { min: 0, max: 86_400 }),
  after_time: pageInstant.default('1970-01-01T00:00:00.000Z'),
  after_id: z.uuid().default('00000000-0000-0000-0000-000000000000'),
});

/** The last one of the page before. */
export const standingQuery = z.object({ after: z.uuid().default('00000000-0000-0000-0000-000000000000') });

const reservationFields = {
  id: z.string(),
  lines: z.array(line).nullable(),
  refusal: z.array(shortage).nullable(),
};
const reservationStatus = z.enum(['HELD', 'CONFIRMED', 'RELEASED']);

/**
 * `lines` of a held reservation, or `refusal` with every line that cannot be reserved. Neither for an id that was released
 * before it was reserved, that belongs to other items (MISMATCH), or with products locked by another transaction (BUSY:
 * nothing was reserved, and `busy_product_id` is one of them).
 */
export const reservationResponse = z.union([
  z.object({ ...reservationFields, status: reservationStatus, currency: z.string() }),
  z.object({
    currency: z.string(),
    reservations: z.array(
      z.object({
        ...reservationFields,
        status: z.enum([...reservationStatus.options, 'MISMATCH', 'BUSY']),
        busy_product_id: z.int().optional(),
      }),
    ),
  }),
]);
const quote = z.object({ lines: z.array(line), refusal: z.array(shortage).nullable() });
export const quoteResponse = z.union([
  z.object({ currency: z.string(), quotes: z.array(quote) }),
  quote.extend({ currency: z.string() }),
]);
export const confirmedResponse = z.object({ confirmed: z.array(z.string()) });
export const releasedResponse = z.object({
  id: z.string(),
  status: z.literal('RELEASED'),
  changed: z.boolean(),
});
export const heldResponse = z.object({
  reservations: z.array(z.object({ id: z.string(), created_at: instant })),
});

export const standingResponse = z.object({ reservation_ids: z.array(z.string()) });

const reservationState = z.object({ id: z.string(), status: reservationStatus, refused: z.boolean() });
export const statusesResponse = z.object({ reservations: z.array(reservationState) });

export type HeldQuery = z.output<typeof heldQuery>;
export type Quote = z.output<typeof quote>;
export type Item = z.output<typeof item>;
export type Line = z.output<typeof line>;
export type Shortage = z.output<typeof shortage>;
export type NewReservation = z.output<typeof newReservation>;
export type ReservationState = z.output<typeof reservationState>;
export type ReservationStatus = z.output<typeof reservationStatus>;
