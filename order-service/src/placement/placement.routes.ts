import { defineRoute, type Route } from '@shop/service-kit/http/define-route';
import { PROBLEM_TYPE } from '@shop/service-kit/http/problem';
import { rawReply } from '@shop/service-kit/http/reply';
import type { Money } from '@shop/service-kit/money/money';
import { ProductBusy, ProductServiceUnavailable } from '../clients/product.errors.ts';
import { orderBody, orderHeaders, orderWithMessage, quoteAnswer } from '../orders/order.schemas.ts';
import {
  IdempotencyInFlight,
  IdempotencyMismatch,
  InsufficientStock,
  PriceChanged,
  ProductNotFound,
  TotalTooLarge,
} from './placement.errors.ts';
import type { PlacementAnswer, PlacementUseCases } from './placement.use-cases.ts';

export function placementRoutes({ placeOrder, quoteOrder }: PlacementUseCases, money: Money): Route[] {
  const body = orderBody(money);
  return [
    defineRoute({
      method: 'post',
      path: '/api/orders',
      summary: 'Place an order; prices and stock come from product-service',
      who: 'user',
      limit: 'order_create',
      headers: orderHeaders,
      body,
      status: 201,
      answer: orderWithMessage,
      errors: [
        ProductNotFound,
        InsufficientStock,
        PriceChanged,
        TotalTooLarge,
        IdempotencyInFlight,
        IdempotencyMismatch,
        ProductServiceUnavailable,
        ProductBusy,
      ],
      handler: async ({ body: request, headers, user, caller }) =>
        toReply(
          await placeOrder({
            userId: user.id,
            role: user.role,
            key: headers['idempotency-key'] ?? null,
            request,
            requestId: caller.requestId,
          }),
        ),
    }),
    defineRoute({
      method: 'post',
      path: '/api/orders/quote',
      summary: 'What the same order would cost now; holds nothing',
      who: 'user',
      limit: 'order_reads',
      body,
      status: 200,
      answer: quoteAnswer,
      errors: [ProductNotFound, InsufficientStock, PriceChanged, TotalTooLarge, ProductServiceUnavailable],
      handler: ({ body: request, caller }) => quoteOrder(request, caller.requestId),
    }),
  ];
}

function toReply({ status, body, orderId, replayed }: PlacementAnswer) {
  const headers: Record<string, string> = replayed ? { 'Idempotent-Replayed': 'true' } : {};
  if (status !== 201) return rawReply(body, { status, headers, contentType: PROBLEM_TYPE });
  return rawReply(body, { status, headers: { ...headers, Location: `/api/orders/${orderId}` } });
}
