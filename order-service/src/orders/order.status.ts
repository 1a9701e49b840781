export const ORDER_STATUSES = ['pending', 'processing', 'shipped', 'delivered', 'cancelled'] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

/** The allowed transitions (docs/http-api.md, "Orders"). */
const TRANSITIONS: Record<OrderStatus, readonly OrderStatus[]> = {
  pending: ['processing', 'cancelled'],
  processing: ['shipped', 'cancelled'],
  shipped: ['delivered'],
  delivered: [],
  cancelled: [],
};

export const transitionsFrom = (status: OrderStatus): readonly OrderStatus[] => TRANSITIONS[status];

export const mayBecome = (from: OrderStatus, to: OrderStatus): boolean => TRANSITIONS[from].includes(to);

/** Orders in these statuses do not change any more. */
export const FINAL_STATUSES = ORDER_STATUSES.filter((status) => TRANSITIONS[status].length === 0);
