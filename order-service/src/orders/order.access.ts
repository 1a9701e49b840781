import type { User } from '@shop/service-kit/http/principal';
import type { Order } from './order.repository.ts';
import { type OrderStatus, transitionsFrom } from './order.status.ts';

/** The part of a user that decides about access. */
type Viewer = Pick<User, 'id' | 'role'>;
type Sold = Pick<Order, 'userId' | 'lines'>;

export const isAdmin = (user: Viewer): boolean => user.role === 'admin';
const isBuyer = (order: Sold, user: Viewer) => order.userId === user.id;
const linesSoldBy = (order: Sold, user: Viewer) => order.lines.filter(({ sellerId }) => sellerId === user.id);

/** Buyers and admins see all lines, sellers their own. Users without visible lines may not know that the order exists. */
export const linesFor = (order: Sold, user: Viewer): Order['lines'] =>
  isAdmin(user) || isBuyer(order, user) ? order.lines : linesSoldBy(order, user);

export const maySetStatus = (order: Sold, user: Viewer): boolean =>
  isAdmin(user) || linesSoldBy(order, user).length === order.lines.length;

export const mayCancel = (order: Sold, user: Viewer): boolean => isAdmin(user) || isBuyer(order, user);

/** The statuses that the user may set; buyers set `cancelled` by DELETE. */
export function transitionsFor(order: Sold & Pick<Order, 'status'>, user: Viewer): readonly OrderStatus[] {
  const possible = transitionsFrom(order.status);
  if (maySetStatus(order, user)) return possible;
  return mayCancel(order, user) ? possible.filter((status) => status === 'cancelled') : [];
}
