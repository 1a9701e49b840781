import { newIdempotencyKey } from '@shop/client';

const KEY = 'shop.order-key';

/**
 * The idempotency key of an order: the same for the same body until the shop has decided on it, so that one that was
 * sent before a reload, or whose response was lost, is not placed twice.
 */
export function orderKeyFor(body: object): string {
  const text = JSON.stringify(body);
  const kept = JSON.parse(sessionStorage.getItem(KEY) ?? 'null') as { key: string; body: string } | null;
  if (kept?.body === text) return kept.key;
  const key = newIdempotencyKey();
  sessionStorage.setItem(KEY, JSON.stringify({ key, body: text }));
  return key;
}

/** The shop has responded: the next order is a new one, even with the same content. */
export const forgetOrderKey = () => sessionStorage.removeItem(KEY);
