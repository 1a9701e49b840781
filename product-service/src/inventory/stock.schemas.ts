import { count, instantOf, integer, optional, text, textOf } from '@shop/service-kit/http/fields';
import { pagingQuery, pagingResponse } from '@shop/service-kit/http/paging';
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

export const stockBody = z
  .strictObject({
    quantity: integer('Quantity', {
      min: -MAX_STOCK,
      max: MAX_STOCK,
      wrong: 'Quantity must be an integer',
    }).meta({ description: 'Units to add; negative to remove.', example: 10 }),
    reason: optional(text('Reason', { max: 200 })).meta({
      description: 'Shown in the ledger; `adjustment` if omitted.',
      example: 'delivery',
    }),
  })
  .meta({ id: 'StockAdjustment', description: 'A change of the stock of a product.' });

export const movementsQuery = z.object(pagingQuery(20));

/** A cursor holds the id of the last row shown. */
export const movementCursor = z.tuple([z.int().min(1)]).readonly();

const movement = z
  .object({
    id: z.int().meta({ description: 'Ascending in time.', minimum: 1, examples: [1] }),
    delta: z.int().meta({ description: 'Units added; negative if removed.', examples: [10] }),
    reason: textOf('The reason of an adjustment, or the event that caused the change.', 200, 'delivery'),
    actor: textOf('`user:` and an id, or `service:` and a name.', 100, 'user:1'),
    reference: z
      .string()
      .nullable()
      .meta({
        description: 'The reservation that caused it; null for other changes.',
        maxLength: 100,
        examples: [null],
      }),
    stock_after: count('Units after it.', 50),
    created_at: instantOf('When it happened.'),
  })
  .meta({ id: 'StockMovement', description: 'One change of the stock of a product.' });

export const movementsResponse = z
  .object({
    movements: z.array(movement).meta({ description: 'The rows of this page.', maxItems: 100 }),
    ...pagingResponse,
  })
  .meta({ id: 'StockMovementPage', description: 'Stock movements, newest first.' });

export type MovementKey = z.output<typeof movementCursor>;
export type MovementsQuery = z.output<typeof movementsQuery>;
