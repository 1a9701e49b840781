import type { Order } from '@shop/client';
import { en } from '../i18n/en.ts';
import { texts } from '../i18n/index.ts';

export type OrderStatus = Order['status'];
/** In the order in which an order has them. */
export const STATUSES = Object.keys(en.orders.status) as OrderStatus[];
const BADGES: Partial<Record<OrderStatus, string>> = {
  processing: 'warn',
  delivered: 'good',
  cancelled: 'bad',
};

export function StatusBadge({ status }: { status: OrderStatus }) {
  return <span class={`badge badge--${BADGES[status] ?? 'info'}`}>{texts.value.orders.status[status]}</span>;
}
