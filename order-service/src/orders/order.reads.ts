import { etagOf } from '@shop/service-kit/http/mount-routes';
import type { User } from '@shop/service-kit/http/principal';
import type { Money } from '@shop/service-kit/money/money';
import type { CachedBytes } from '@shop/service-kit/redis/cache-groups';
import { keyOfQuery } from '@shop/service-kit/redis/cache-key';
import type { UserCache } from '@shop/service-kit/redis/user-cache';
import type { z } from 'zod';
import { oneOrder, orderList, statsResponse } from './order.response.schemas.ts';
import { createOrderResponse } from './order.response.ts';
import type { ListQuery } from './order.schemas.ts';
import type { OrderStatus } from './order.status.ts';
import type { OrderUseCases } from './order.use-cases.ts';

interface OrderReadOptions {
  orders: OrderUseCases;
  cache: UserCache;
  money: Money;
}

/** A finished response; `hit` is true if it came from the cache, undefined for reads that are never cached. */
export interface OrderRead extends CachedBytes {
  hit?: boolean;
}

/**
 * Finished responses of reads. Buyers' reads of their own orders are cached. Reads by sellers and admins always go to the
 * database: they are rare, and change with the orders of many buyers.
 */
export function createOrderReads({ orders, cache, money }: OrderReadOptions) {
  const toJson = createOrderResponse(money);

  return {
    /** @throws Forbidden for the orders of others, except for admins */
    async list(query: ListQuery, user: User): Promise<OrderRead> {
      const load = async () => {
        const { rows, paging } = await orders.list(query, user);
        return pack(orderList, { orders: rows.map((order) => toJson(order, user)), ...paging });
      };
      if (query.scope !== 'own' || query.user_id !== undefined) return load();
      return cache.read(user.id, `${user.role}:list:${keyOfQuery(query)}`, load);
    },

    /** @throws OrderNotFound */
    one: (id: number, user: User): Promise<OrderRead> =>
      cache.read(user.id, `${user.role}:order:${id}`, async () => {
        const order = await orders.findVisible(id, user);
        return { ...pack(oneOrder, { order: toJson(order, user) }), keep: order.userId === user.id };
      }),

    stats: (user: User): Promise<OrderRead> =>
      cache.read(user.id, 'stats', async () => {
        const counted = await orders.stats(user);
        const countOf = (status: OrderStatus) => counted.find((one) => one.status === status)?.orders ?? 0;
        const kept = counted.filter(({ status }) => status !== 'cancelled');
        return pack(statsResponse, {
          total_orders: counted.reduce((sum, { orders }) => sum + orders, 0),
          total_spent: money.toMajor(kept.reduce((sum, { totalMinor }) => sum + totalMinor, 0n)),
          pending_orders: countOf('pending'),
          completed_orders: countOf('delivered'),
          cancelled_orders: countOf('cancelled'),
          currency: money.currency,
        });
      }),
  };
}

export type OrderReads = ReturnType<typeof createOrderReads>;

function pack<Schema extends z.ZodType>(schema: Schema, body: z.input<Schema>): CachedBytes {
  const json = JSON.stringify(schema.parse(body));
  return { etag: etagOf(json), bytes: Buffer.from(json) };
}
