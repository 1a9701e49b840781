import type { Order } from '@shop/client';
import { texts } from '../i18n/index.ts';

export type OrderStatus = Order['status'];
export const STATUSES: OrderStatus[] = ['pending', 'processing', 'shipped', 'delivered', 'cancelled'];
const KINDS: Record<OrderStatus, string> = {
  pending: 'info',
  processing: 'warn',
  shipped: 'info',
  delivered: 'good',
  cancelled: 'bad',
};

export function StatusBadge({ status }: { status: OrderStatus }) {
  return <span class={`badge badge--${KINDS[status]}`}>{texts.value.orders.status[status]}</span>;
}
