import { Forbidden } from '@shop/service-kit/errors/http-errors';
import { defineRoute, type Route } from '@shop/service-kit/http/define-route';
import { idParams } from '@shop/service-kit/http/fields';
import { rawReply } from '@shop/service-kit/http/reply';
import type { Money } from '@shop/service-kit/money/money';
import { InvalidTransition, NotCancellable, OrderNotFound } from './order.errors.ts';
import type { OrderRead, OrderReads } from './order.reads.ts';
import { createOrderResponse } from './order.response.ts';
import {
  historyAnswer,
  listQuery,
  oneOrder,
  orderList,
  orderWithMessage,
  statsAnswer,
  statusBody,
} from './order.schemas.ts';
import type { OrderUseCases } from './order.use-cases.ts';

interface OrderRouteOptions {
  orders: OrderUseCases;
  reads: OrderReads;
  money: Money;
}

export function orderRoutes({ orders, reads, money }: OrderRouteOptions): Route[] {
  const toJson = createOrderResponse(money);
  return [
    defineRoute({
      method: 'get',
      path: '/api/orders',
      summary: "Orders, newest first: the caller's own, those with products they sell, or all (admins)",
      who: 'user',
      limit: 'order_reads',
      query: listQuery,
      conditional: true,
      status: 200,
      answer: orderList,
      errors: [Forbidden],
      handler: async ({ query, user }) => toReply(await reads.list(query, user)),
    }),
    defineRoute({
      method: 'get',
      path: '/api/orders/stats',
      summary: "Counts of the caller's orders and what they cost",
      who: 'user',
      limit: 'order_reads',
      conditional: true,
      status: 200,
      answer: statsAnswer,
      handler: async ({ user }) => toReply(await reads.stats(user)),
    }),
    defineRoute({
      method: 'get',
      path: '/api/orders/:id',
      summary: 'One order; a seller sees their own lines of it',
      who: 'user',
      only: 'its buyer, sellers and admins',
      conditional: true,
      limit: 'order_reads',
      params: idParams,
      status: 200,
      answer: oneOrder,
      errors: [OrderNotFound],
      handler: async ({ params, user }) => toReply(await reads.one(params.id, user)),
    }),
    defineRoute({
      method: 'get',
      path: '/api/orders/:id/history',
      summary: 'Every status the order had, and who set it',
      who: 'user',
      only: 'its buyer, sellers and admins',
      limit: 'order_reads',
      params: idParams,
      status: 200,
      answer: historyAnswer,
      errors: [OrderNotFound],
      async handler({ params, user }) {
        const changes = await orders.history(params.id, user);
        return {
          history: changes.map(({ fromStatus, toStatus, actor, createdAt }) => ({
            from: fromStatus,
            to: toStatus,
            actor,
            at: createdAt,
          })),
        };
      },
    }),
    defineRoute({
      method: 'put',
      path: '/api/orders/:id/status',
      summary: 'Move the order on',
      who: 'user',
      only: 'admins and the seller of every line',
      limit: 'order_writes',
      params: idParams,
      body: statusBody,
      status: 200,
      answer: orderWithMessage,
      errors: [OrderNotFound, Forbidden, InvalidTransition],
      async handler({ params, body, user, caller }) {
        const order = await orders.setStatus(params.id, body.status, user, caller.requestId);
        return { message: 'Order status updated successfully', order: toJson(order, user) };
      },
    }),
    defineRoute({
      method: 'delete',
      path: '/api/orders/:id',
      summary: 'Cancel the order; its stock comes back',
      who: 'user',
      only: 'its buyer and admins',
      limit: 'order_writes',
      params: idParams,
      status: 200,
      answer: orderWithMessage,
      errors: [OrderNotFound, Forbidden, NotCancellable],
      async handler({ params, user, caller }) {
        const order = await orders.cancel(params.id, user, caller.requestId);
        return { message: 'Order cancelled successfully', order: toJson(order, user) };
      },
    }),
  ];
}

function toReply({ bytes, etag, hit }: OrderRead) {
  const headers: Record<string, string> =
    hit === undefined ? {} : { 'Cache-Status': hit ? 'orders; hit' : 'orders; fwd=miss' };
  return rawReply(bytes, { etag, headers });
}
