import { createHash } from 'node:crypto';
import type { Money } from '@shop/service-kit/money/money';
import type { ReservedLine, Shortage } from '../clients/product.client.ts';
import type { OrderRequest } from '../orders/order.schemas.ts';
import { InsufficientStock, PriceChanged, ProductNotFound } from './placement.errors.ts';

/** What makes two requests with one key the same: their checked bodies, with merged lines. */
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

/** Why product-service would not give the items: an unknown product is told before a short one. */
export function refusalOf(refusal: Shortage[]) {
  const unknown = refusal.find((line) => line.available === null);
  return unknown === undefined ? new InsufficientStock(refusal) : new ProductNotFound(unknown.product_id);
}

/** A total that the buyer did not agree to; undefined when it fits or none was given. */
export function priceChange(request: OrderRequest, lines: ReservedLine[], money: Money) {
  const expected = request.expected_total;
  return expected === undefined || expected === totalOf(lines)
    ? undefined
    : new PriceChanged(quoteOf(lines, money));
}
