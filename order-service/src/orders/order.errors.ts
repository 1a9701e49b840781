import { defineError } from '@shop/service-kit/errors/app-error';
import { Forbidden } from '@shop/service-kit/errors/http-errors';
import type { OrderStatus } from './order.status.ts';

export const OrderNotFound = defineError(404, 'order_not_found', 'Order not found');
export const NotCancellable = defineError(400, 'not_cancellable', 'Cannot cancel order in current status');
export const InvalidTransition = defineError(
  409,
  'invalid_transition',
  (from: OrderStatus, to: OrderStatus) => `An order that is ${from} cannot become ${to}`,
  undefined,
  { sample: ['delivered', 'pending'] },
);

/** The expected failures of each operation: what its use-case may throw. */
export const errorsOf = {
  listOrders: [Forbidden],
  getOrder: [OrderNotFound],
  getOrderHistory: [OrderNotFound],
  setOrderStatus: [OrderNotFound, Forbidden, InvalidTransition],
  cancelOrder: [OrderNotFound, Forbidden, NotCancellable],
};
