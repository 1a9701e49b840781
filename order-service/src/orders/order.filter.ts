import type { OrderStatus } from './order.status.ts';

/** Which placed orders a list has. */
export interface OrderFilter {
  /** If missing, all buyers. */
  userId?: number | undefined;
  /** Orders with a line of this seller. */
  sellerId?: number | undefined;
  status?: OrderStatus | undefined;
  from?: Date | undefined;
  to?: Date | undefined;
}
