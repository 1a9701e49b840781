import { defineRoute, type Route } from '@shop/service-kit/http/define-route';
import { PROBLEM_TYPE } from '@shop/service-kit/http/problem';
import { rawReply } from '@shop/service-kit/http/reply';
import type { Money } from '@shop/service-kit/money/money';
import { currentTraceparent } from '@shop/service-kit/tracing/span';
import { placedOrder, quoteResponse } from '../orders/order.response.schemas.ts';
import { orderBody, orderHeaders } from '../orders/order.schemas.ts';
import { errorsOf } from './placement.errors.ts';
import type { PlacementResponse, PlacementUseCases } from './placement.use-cases.ts';

const PLACING = [
  'Prices come from the catalogue, never from the client. All lines are ordered or none: `details` lists every product that is not sold (404), or that has too little stock (400).',
  'With an `Idempotency-Key` the request may be sent again, with the same body, until there is a response: the order is placed once, and later responses repeat the first one with `Idempotent-Replayed: true`. The refusals 404, 400 `insufficient_stock` and `total_too_large`, and 409 `price_changed` are repeated too; validation errors, 429 and 503 are not, so that the request can be corrected or retried with the same key.',
  'The same key with another body is 422 `idempotency_mismatch`. While the first request is running, a second one gets 409 `idempotency_in_flight` with `Retry-After`.',
].join('\n\n');

export function placementRoutes({ placeOrder, quoteOrder }: PlacementUseCases, money: Money): Route[] {
  const body = orderBody(money);
  return [
    defineRoute({
      method: 'post',
      path: '/api/orders',
      operationId: 'placeOrder',
      tag: 'Orders',
      summary: 'Place an order',
      description: PLACING,
      responseHeaders: ['Location', 'Idempotent-Replayed'],
      problemHeaders: { 'Idempotent-Replayed': [400, 404, 409] },
      who: 'user',
      limit: 'order_create',
      headers: orderHeaders,
      body,
      status: 201,
      response: placedOrder,
      errors: errorsOf.placeOrder,
      handler: async ({ body: request, headers, user, caller }) =>
        toReply(
          await placeOrder({
            userId: user.id,
            role: user.role,
            key: headers['idempotency-key'] ?? null,
            request,
            requestId: caller.requestId,
            traceparent: currentTraceparent(),
            note: (fields) => caller.note(fields),
          }),
        ),
    }),
    defineRoute({
      method: 'post',
      path: '/api/orders/quote',
      operationId: 'quoteOrder',
      tag: 'Orders',
      summary: 'Quote the current price of a basket',
      description: 'Takes the body of an order. Reserves nothing and orders nothing.',
      who: 'user',
      limit: 'order_reads',
      body,
      status: 200,
      response: quoteResponse,
      errors: errorsOf.quoteOrder,
      handler: ({ body: request, caller }) => quoteOrder(request, caller.requestId),
    }),
  ];
}

function toReply({ status, body, orderId, replayed }: PlacementResponse) {
  const headers: Record<string, string> = replayed ? { 'Idempotent-Replayed': 'true' } : {};
  if (status !== 201) return rawReply(body, { status, headers, contentType: PROBLEM_TYPE });
  return rawReply(body, { status, headers: { ...headers, Location: `/api/orders/${orderId}` } });
}
