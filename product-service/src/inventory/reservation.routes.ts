import { defineRoute, type Route } from '@shop/service-kit/http/define-route';
import { errorsOf } from './reservation.errors.ts';
import {
  confirmedResponse,
  heldQuery,
  heldResponse,
  idsBody,
  orderIdsHeader,
  quoteBody,
  quoteResponse,
  releasedResponse,
  reservationParams,
  reservationResponse,
  reserveBody,
  standingQuery,
  standingResponse,
  statusesResponse,
} from './reservation.schemas.ts';
import type { ReservationUseCases } from './reservation.use-cases.ts';

/** What order-service calls. No gateway passes `/internal`, and no user's token opens it. */
export function reservationRoutes(reservations: ReservationUseCases, currency: string): Route[] {
  return [
    defineRoute({
      method: 'post',
      path: '/internal/reservations',
      summary: 'Take all items of each reservation out of stock, or nothing; the same id gets the same again',
      who: 'service',
      limit: false,
      headers: orderIdsHeader,
      body: reserveBody,
      status: 200,
      response: reservationResponse,
      errors: errorsOf.reserveStock,
      async handler({ body, user, headers, caller }) {
        caller.note({ order_ids: headers['x-order-ids'] });
        const actor = `service:${user.name}`;
        if ('reservations' in body)
          return { reservations: await reservations.reserve(body.reservations, actor, body.wait), currency };
        return { ...(await reservations.reserveOne(body, actor)), currency };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/internal/reservations',
      summary: 'A page of the reservations that have been held for long, oldest first',
      who: 'service',
      limit: false,
      query: heldQuery,
      status: 200,
      response: heldResponse,
      handler: async ({ query }) => ({ reservations: await reservations.listHeld(query) }),
    }),
    defineRoute({
      method: 'get',
      path: '/internal/reservations/standing',
      summary: 'A page of the reservations that are held or confirmed, in the order of their ids',
      who: 'service',
      limit: false,
      query: standingQuery,
      status: 200,
      response: standingResponse,
      handler: async ({ query }) => ({ reservation_ids: await reservations.listStanding(query.after) }),
    }),
    defineRoute({
      method: 'post',
      path: '/internal/reservations/confirm',
      summary: 'The orders of these reservations stand; lists those that are confirmed now',
      who: 'service',
      limit: false,
      headers: orderIdsHeader,
      body: idsBody,
      status: 200,
      response: confirmedResponse,
      async handler({ body, headers, caller }) {
        caller.note({ order_ids: headers['x-order-ids'] });
        return { confirmed: await reservations.confirm(body.reservation_ids) };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/internal/reservations/statuses',
      summary: 'The statuses of these reservations; lists those that exist, and changes nothing',
      who: 'service',
      limit: false,
      body: idsBody,
      status: 200,
      response: statusesResponse,
      handler: async ({ body }) => ({ reservations: await reservations.statusesOf(body.reservation_ids) }),
    }),
    defineRoute({
      method: 'post',
      path: '/internal/reservations/:id/release',
      summary: 'Give back what this reservation holds; an unknown id is closed for good',
      who: 'service',
      limit: false,
      headers: orderIdsHeader,
      params: reservationParams,
      status: 200,
      response: releasedResponse,
      async handler({ params, user, headers, caller }) {
        caller.note({ order_ids: headers['x-order-ids'] });
        const changed = await reservations.release(params.id, `service:${user.name}`);
        return { id: params.id, status: 'RELEASED' as const, changed };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/internal/quotes',
      summary: 'What the items of each basket would cost now; holds nothing',
      who: 'service',
      limit: false,
      body: quoteBody,
      status: 200,
      response: quoteResponse,
      async handler({ body }) {
        const baskets = 'quotes' in body ? body.quotes.map(({ items }) => items) : [body.items];
        const quotes = await reservations.quote(baskets);
        return 'quotes' in body ? { quotes, currency } : { lines: [], refusal: null, ...quotes[0], currency };
      },
    }),
  ];
}
