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

const named = (statuses: readonly OrderStatus[]) => statuses.map((status) => `\`${status}\``).join(' or ');

/** For the API document: what may become of each status, and which may become the given one. */
export const ALL_TRANSITIONS = ORDER_STATUSES.filter((status) => TRANSITIONS[status].length > 0)
  .map((status) => `${named([status])} → ${named(TRANSITIONS[status])}`)
  .join('; ');
export const statusesBefore = (to: OrderStatus): string =>
  named(ORDER_STATUSES.filter((status) => mayBecome(status, to)));

/** Orders in these statuses do not change any more. */
export const FINAL_STATUSES = ORDER_STATUSES.filter((status) => TRANSITIONS[status].length === 0);
