import { Forbidden } from '@shop/service-kit/errors/http-errors';
import { idCursor, type TimeKey, timeCursor, toPage, toWindow } from '@shop/service-kit/http/paging';
import type { User } from '@shop/service-kit/http/principal';
import type { UserCache } from '@shop/service-kit/redis/user-cache';
import { currentTraceparent } from '@shop/service-kit/tracing/span';
import type { ProductClient } from '../clients/product.client.ts';
import { isAdmin, linesFor, mayCancel, maySetStatus } from './order.access.ts';
import { InvalidTransition, NotCancellable, OrderNotFound } from './order.errors.ts';
import type { OrderFilter } from './order.filter.ts';
import type { Order, OrderRepository } from './order.repository.ts';
import type { ListQuery } from './order.schemas.ts';
import { mayBecome, type OrderStatus } from './order.status.ts';

interface OrderOptions {
  orders: OrderRepository;
  products: ProductClient;
  /** The cache of the buyers' orders. */
  cache: Pick<UserCache, 'whileChanging'>;
}

/** Whether a list is in the order of time: everybody's orders between two times, which have no index in the order of ids. */
const isByTime = ({ userId, sellerId, from, to }: OrderFilter): boolean =>
  userId === undefined && sellerId === undefined && (from !== undefined || to !== undefined);

/** Reads placed orders and changes their status. */
export function createOrderUseCases({ orders, products, cache }: OrderOptions) {
  /** @throws OrderNotFound also for an order in which the user is neither the buyer nor a seller */
  async function findVisible(id: number, user: User): Promise<Order> {
    const order = await orders.find(id);
    if (order === undefined || linesFor(order, user).length === 0) throw new OrderNotFound();
    return order;
  }

  async function changeStatus(order: Order, to: OrderStatus, user: User, requestId: string): Promise<Order> {
    const traceparent = currentTraceparent();
    const change = { id: order.id, from: order.status, to, actor: `user:${user.id}`, requestId, traceparent };
    const done = await cache.whileChanging([order.userId], () => orders.changeStatus(change));
    const now = await orders.find(order.id);
    if (now === undefined) throw new OrderNotFound();
    if (!done) {
      // Another change came first. No status comes back, so this does not repeat without end.
      if (!mayBecome(now.status, to)) throw new InvalidTransition(now.status, to);
      return changeStatus(now, to, user, requestId);
    }
    // The job is already committed; this attempt normally returns the stock before the response is sent.
    if (to === 'cancelled')
      await products
        .release({ reservationId: order.reservationId, orderId: order.id, requestId })
        .catch(() => undefined);
    return now;
  }

  function filterFor({ scope, user_id, status, from, to }: ListQuery, user: User): OrderFilter {
    if ((scope === 'all' || user_id !== undefined) && !isAdmin(user)) throw new Forbidden();
    if (scope === 'selling') return { sellerId: user.id, status, from, to };
    return { userId: user_id ?? (scope === 'all' ? undefined : user.id), status, from, to };
  }

  return {
    findVisible,

    /** Newest first. @throws Forbidden for the orders of others, except for admins */
    async list(query: ListQuery, user: User) {
      const filter = filterFor(query, user);
      if (isByTime(filter)) {
        const window = toWindow(query, timeCursor);
        const [rows, total] = await Promise.all([orders.listByTime(filter, window), orders.count(filter)]);
        return toPage(window, rows, total, ({ id, createdAt }): TimeKey => [createdAt.toISOString(), id]);
      }
      const window = toWindow(query, idCursor);
      const [rows, total] = await Promise.all([orders.list(filter, window), orders.count(filter)]);
      return toPage(window, rows, total, ({ id }) => [id] as const);
    },

    async history(id: number, user: User) {
      await findVisible(id, user);
      return orders.history(id);
    },

    stats: (user: User) => orders.stats(user.id),

    /** @throws OrderNotFound, Forbidden for the buyer and for the seller of some lines, InvalidTransition */
    async setStatus(id: number, to: OrderStatus, user: User, requestId: string): Promise<Order> {
      const order = await findVisible(id, user);
      if (!maySetStatus(order, user)) throw new Forbidden();
      if (!mayBecome(order.status, to)) throw new InvalidTransition(order.status, to);
      return changeStatus(order, to, user, requestId);
    },

    /** Returns the stock, once. @throws OrderNotFound, Forbidden for sellers, NotCancellable */
    async cancel(id: number, user: User, requestId: string): Promise<Order> {
      const order = await findVisible(id, user);
      if (!mayCancel(order, user)) throw new Forbidden();
      if (!mayBecome(order.status, 'cancelled')) throw new NotCancellable();
      return changeStatus(order, 'cancelled', user, requestId).catch((error: unknown) => {
        if (error instanceof InvalidTransition) throw new NotCancellable();
        throw error;
      });
    },
  };
}

export type OrderUseCases = ReturnType<typeof createOrderUseCases>;
