import { z } from 'zod';

const line = z.object({
  product_id: z.int(),
  quantity: z.int(),
  name: z.string(),
  price_minor: z.int(),
  owner_id: z.int(),
});
const shortage = z.object({ product_id: z.int(), requested: z.int(), available: z.int().nullable() });
export const confirmedResponse = z.object({ confirmed: z.array(z.string()) });
export const heldResponse = z.object({
  reservations: z.array(z.object({ id: z.string(), created_at: z.string() })),
});

export const standingResponse = z.object({ reservation_ids: z.array(z.string()) });

/** `refused`: at least one line could not be reserved. */
const reservationState = z.object({
  id: z.string(),
  status: z.enum(['HELD', 'CONFIRMED', 'RELEASED']),
  refused: z.boolean(),
});
export const statusesResponse = z.object({ reservations: z.array(reservationState) });

export const problem = z.object({ code: z.string() });

const heldStatus = z.enum(['HELD', 'CONFIRMED', 'RELEASED']);

/** Responses in another currency than this deployment's are unusable. */
export function responsesIn(currency: string) {
  const priced = { currency: z.literal(currency), refusal: z.array(shortage).nullable() };
  const quote = z.object({ lines: z.array(line), refusal: priced.refusal });
  return {
    reservations: z.object({
      currency: priced.currency,
      reservations: z.array(
        z.object({
          id: z.string(),
          status: z.enum([...heldStatus.options, 'MISMATCH', 'BUSY']),
          lines: z.array(line).nullable(),
          refusal: priced.refusal,
          busy_product_id: z.int().optional(),
        }),
      ),
    }),
    reservation: z.object({ ...priced, id: z.string(), status: heldStatus, lines: z.array(line).nullable() }),
    quotes: z.object({ currency: priced.currency, quotes: z.array(quote) }),
    quote: quote.extend({ currency: priced.currency }),
  };
}

export type Held = z.output<typeof heldResponse>['reservations'][number];
export type ReservedLine = z.output<typeof line>;
export type Shortage = z.output<typeof shortage>;
export type ReservationState = z.output<typeof reservationState>;
export type Reservation = z.output<ReturnType<typeof responsesIn>['reservations']>['reservations'][number];
export type ProductQuote = z.output<ReturnType<typeof responsesIn>['quotes']>['quotes'][number];
