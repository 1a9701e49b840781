import type { Calls } from './calls.ts';
import { everyRow } from './paging.ts';
import type {
  CallOptions,
  Filter,
  Order,
  OrderPage,
  OrderRequest,
  OrderStats,
  Query,
  Quote,
  ReadOptions,
} from './types.ts';

export interface PlaceOptions extends CallOptions {
  /** Made by the client where it is left out. Keep one with the basket to try again after a reload. */
  idempotencyKey?: string | undefined;
}

/** A key for one basket, also where `crypto.randomUUID` is missing: on pages without HTTPS. */
export const newIdempotencyKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  );

export function orderCalls({ send, take }: Calls) {
  const list = (query?: Query<'listOrders'>, options?: ReadOptions<OrderPage>): Promise<OrderPage> =>
    send('get', '/api/orders', { ...options, query });
  return {
    /** Places the order once, however often it has to be sent. */
    place: (
      basket: OrderRequest,
      { idempotencyKey = newIdempotencyKey(), signal }: PlaceOptions = {},
    ): Promise<Order> =>
      take('post', '/api/orders', 'order', {
        signal,
        body: basket,
        headers: { 'Idempotency-Key': idempotencyKey },
        isRepeatable: true,
      }),
    /** What the basket costs now; holds nothing. */
    quote: (basket: OrderRequest, options?: CallOptions): Promise<Quote> =>
      send('post', '/api/orders/quote', { ...options, body: basket, isRepeatable: true }),
    /** One page, newest first. */
    list,
    all: (query?: Filter<'listOrders'>, options?: CallOptions) =>
      everyRow(
        (at) => list({ ...at, ...query }, options),
        ({ orders }) => orders,
      ),
    get: (id: number, options?: ReadOptions<Order>): Promise<Order> =>
      take('get', '/api/orders/{id}', 'order', { ...options, id }),
    history: (id: number, options?: CallOptions) =>
      take('get', '/api/orders/{id}/history', 'history', { ...options, id }),
    stats: (options?: ReadOptions<OrderStats>): Promise<OrderStats> =>
      send('get', '/api/orders/stats', options),
    /** For sellers and admins; a buyer cancels. */
    setStatus: (id: number, status: Order['status'], options?: CallOptions): Promise<Order> =>
      take('put', '/api/orders/{id}/status', 'order', { ...options, id, body: { status } }),
    /** The stock comes back. */
    cancel: (id: number, options?: CallOptions): Promise<Order> =>
      take('delete', '/api/orders/{id}', 'order', { ...options, id }),
  };
}
