import { createHash } from 'node:crypto';
import type { Money } from '@shop/service-kit/money/money';
import type { ReservedLine, Shortage } from '../clients/product.response.schemas.ts';
import type { OrderRequest } from '../orders/order.schemas.ts';
import { InsufficientStock, PriceChanged, ProductNotFound, TotalTooLarge } from './placement.errors.ts';

/** Two requests with the same key are equal if this hash of their validated bodies, with merged lines, is equal. */
export function hashOf(request: OrderRequest): string {
  const { products, expected_total, shipping_address, note } = request;
  return createHash('sha256')
    .update(JSON.stringify([products, expected_total, shipping_address, note]))
    .digest('hex');
}

/** Sum of price × quantity in minor units. */
export function totalOf(lines: ReservedLine[]): number {
  return lines.reduce((sum, line) => sum + line.price_minor * line.quantity, 0);
}

/** The lines and their total as JSON, in major units. */
export function quoteOf(lines: ReservedLine[], money: Money) {
  const products = lines.map((line) => ({
    product_id: line.product_id,
    name: line.name,
    price: money.toMajor(line.price_minor),
    quantity: line.quantity,
    subtotal: money.toMajor(line.price_minor * line.quantity),
  }));
  return { products, total_amount: money.toMajor(totalOf(lines)), currency: money.currency };
}

/** The error for items that cannot be reserved: unknown products are reported before short ones. */
export function refusalOf(refusal: Shortage[]) {
  const unknown = refusal.filter((line) => line.available === null);
  return unknown.length === 0 ? new InsufficientStock(refusal) : new ProductNotFound(unknown);
}

/** The error for a total that is too large or not the expected one; undefined if it is acceptable. */
export function refusalOfTotal(request: OrderRequest, lines: ReservedLine[], money: Money) {
  const total = totalOf(lines);
  // Sums only grow, so a rounded sum cannot have come back into the safe range.
  if (!Number.isSafeInteger(total)) return new TotalTooLarge();
  const expected = request.expected_total;
  return expected === undefined || expected === total ? undefined : new PriceChanged(quoteOf(lines, money));
}
