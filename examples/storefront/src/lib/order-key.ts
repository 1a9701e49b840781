import { newIdempotencyKey } from '@shop/client';

const KEY = 'shop.order-key';

interface Kept {
  key: string;
  body: string;
}
let kept = load();

/**
 * The idempotency key of an order: the same for the same body until the shop has decided on it, so that one that was
 * sent before a reload, or whose response was lost, is not placed twice.
 */
export function orderKeyFor(order: object): string {
  const body = JSON.stringify(order);
  if (kept?.body === body) return kept.key;
  const key = newIdempotencyKey();
  keep({ key, body });
  return key;
}

/** The shop has responded: the next order is a new one, even with the same content. */
export const forgetOrderKey = () => keep(null);

function load(): Kept | null {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? 'null');
  } catch {
    return null;
  }
}

function keep(next: Kept | null): void {
  kept = next;
  try {
    if (next === null) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, JSON.stringify(next));
  } catch {
    // Storage is full or blocked: it lasts until the next reload then.
  }
}
