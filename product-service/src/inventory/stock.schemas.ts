import { instant, integer, optional, text } from '@shop/service-kit/http/fields';
import { pagingAnswer, pagingQuery } from '@shop/service-kit/http/paging';
import { z } from 'zod';
import { MAX_STOCK } from '../products/product.fields.ts';

/** One row of a product's ledger. */
export interface StockMovement {
  id: number;
  delta: number;
  reason: string;
  /** `user:<id>` or `service:<name>`. */
  actor: string;
  /** The reservation, where one caused it. */
  reference: string | null;
  stock_after: number;
  created_at: Date;
}

export const stockBody = z.strictObject({
  quantity: integer('Quantity', { min: -MAX_STOCK, max: MAX_STOCK, wrong: 'Quantity must be an integer' }),
  reason: optional(text('Reason', { max: 200 })),
});

export const movementsQuery = z.object(pagingQuery(20));

/** A cursor holds the id of the last row shown. */
export const movementCursor = z.tuple([z.int().min(1)]).readonly();

export const movementsAnswer = z.object({
  movements: z.array(
    z.object({
      id: z.int(),
      delta: z.int(),
      reason: z.string(),
      actor: z.string(),
      reference: z.string().nullable(),
      stock_after: z.int(),
      created_at: instant,
    }),
  ),
  ...pagingAnswer,
});

export type MovementKey = z.output<typeof movementCursor>;
export type MovementsQuery = z.output<typeof movementsQuery>;
