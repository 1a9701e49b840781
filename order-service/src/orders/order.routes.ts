import { defineRoute, type Route } from '@shop/service-kit/http/define-route';
import { idParams } from '@shop/service-kit/http/fields';
import { rawReply } from '@shop/service-kit/http/reply';
import type { Money } from '@shop/service-kit/money/money';
import { errorsOf } from './order.errors.ts';
import type { OrderRead, OrderReads } from './order.reads.ts';
import {
  historyResponse,
  oneOrder,
  orderList,
  orderWithMessage,
  statsResponse,
} from './order.response.schemas.ts';
import { createOrderResponse } from './order.response.ts';
import { listQuery, statusBody } from './order.schemas.ts';
import { ALL_TRANSITIONS, statusesBefore } from './order.status.ts';
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
      operationId: 'listOrders',
      tag: 'Orders',
      summary: 'List orders, newest first',
      description:
        "By default the caller's own orders. With `scope=selling`, the orders with products sold by the caller; these show the caller's lines only.",
      who: 'user',
      limit: 'order_reads',
      query: listQuery,
      conditional: true,
      responseHeaders: ['Cache-Status'],
      status: 200,
      response: orderList,
      errors: errorsOf.listOrders,
      handler: async ({ query, user }) => toReply(await reads.list(query, user)),
    }),
    defineRoute({
      method: 'get',
      path: '/api/orders/stats',
      operationId: 'getOrderStats',
      tag: 'Orders',
      summary: "Return counts and the total of the caller's orders",
      who: 'user',
      limit: 'order_reads',
      conditional: true,
      responseHeaders: ['Cache-Status'],
      status: 200,
      response: statsResponse,
      handler: async ({ user }) => toReply(await reads.stats(user)),
    }),
    defineRoute({
      method: 'get',
      path: '/api/orders/:id',
      operationId: 'getOrder',
      tag: 'Orders',
      summary: 'Get one order',
      description:
        'A seller sees their own lines only (`partial`). An order that the caller may not see gets 404, like one that does not exist.',
      who: 'user',
      only: 'its buyer, sellers and admins',
      conditional: true,
      responseHeaders: ['Cache-Status'],
      limit: 'order_reads',
      params: idParams,
      status: 200,
      response: oneOrder,
      errors: errorsOf.getOrder,
      async handler({ params, user, caller }) {
        caller.note({ order_id: params.id });
        return toReply(await reads.one(params.id, user));
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/orders/:id/history',
      operationId: 'getOrderHistory',
      tag: 'Orders',
      summary: "List an order's past statuses and who set them",
      who: 'user',
      only: 'its buyer, sellers and admins',
      limit: 'order_reads',
      params: idParams,
      status: 200,
      response: historyResponse,
      errors: errorsOf.getOrderHistory,
      async handler({ params, user, caller }) {
        caller.note({ order_id: params.id });
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
      operationId: 'setOrderStatus',
      tag: 'Orders',
      summary: 'Set the status of an order',
      description: `${ALL_TRANSITIONS}. Cancelling returns the stock. Setting the current status again is \`invalid_transition\`.`,
      who: 'user',
      only: 'admins and the seller of every line',
      limit: 'order_writes',
      params: idParams,
      body: statusBody,
      status: 200,
      response: orderWithMessage('Order status updated successfully'),
      errors: errorsOf.setOrderStatus,
      async handler({ params, body, user, caller }) {
        caller.note({ order_id: params.id });
        const order = await orders.setStatus(params.id, body.status, user, caller.requestId);
        return { message: 'Order status updated successfully', order: toJson(order, user) };
      },
    }),
    defineRoute({
      method: 'delete',
      path: '/api/orders/:id',
      operationId: 'cancelOrder',
      tag: 'Orders',
      summary: 'Cancel an order',
      description: `Possible while it is ${statusesBefore('cancelled')}. The stock is returned once, however often the request is sent.`,
      who: 'user',
      only: 'its buyer and admins',
      limit: 'order_writes',
      params: idParams,
      status: 200,
      response: orderWithMessage('Order cancelled successfully'),
      errors: errorsOf.cancelOrder,
      async handler({ params, user, caller }) {
        caller.note({ order_id: params.id });
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
