import type { User } from '@shop/service-kit/http/principal';
import type { Money } from '@shop/service-kit/money/money';
import type { z } from 'zod';
import { linesFor, transitionsFor } from './order.access.ts';
import type { Order } from './order.repository.ts';
import type { orderResponse } from './order.response.schemas.ts';

/** An order as `user` may see it: a seller gets their own lines only, with the totals of these. */
export function createOrderResponse(money: Money) {
  return (
    order: Omit<Order, 'reservationId'>,
    user: Pick<User, 'id' | 'role'>,
  ): z.input<typeof orderResponse> => {
    const lines = linesFor(order, user);
    const isPartial = lines.length < order.lines.length;
    const subtotals = lines.map(({ priceMinor, quantity }) => priceMinor * BigInt(quantity));
    return {
      id: order.id,
      user_id: order.userId,
      products: lines.map((line, i) => ({
        product_id: line.productId,
        name: line.name,
        price: money.toMajor(line.priceMinor),
        quantity: line.quantity,
        subtotal: money.toMajor(subtotals[i] ?? 0n),
      })),
      total_amount: money.toMajor(
        isPartial ? subtotals.reduce((sum, subtotal) => sum + subtotal, 0n) : order.totalMinor,
      ),
      ...(isPartial ? { partial: true } : {}),
      currency: order.currency,
      status: order.status,
      allowed_transitions: transitionsFor(order, user),
      shipping_address: order.shippingAddress,
      note: order.note,
      created_at: order.createdAt,
      updated_at: order.updatedAt,
    };
  };
}
