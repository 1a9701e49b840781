import type { User } from '@shop/service-kit/http/principal';
import type { Money } from '@shop/service-kit/money/money';
import type { ReservedLine } from '../clients/product.response.schemas.ts';
import { placedOrder } from '../orders/order.response.schemas.ts';
import { createOrderResponse } from '../orders/order.response.ts';
import type { OrderRequest } from '../orders/order.schemas.ts';
import { totalOf } from './order.request.ts';
import type { Intent } from './placement.records.ts';

interface Buyer {
  userId: number;
  role: User['role'];
  request: OrderRequest;
}

/** The JSON body of a 201. It is created before the order is placed, because it is stored with it. */
export function createPlacedBody(money: Money) {
  const toJson = createOrderResponse(money);

  return (intent: Intent, { userId, role, request }: Buyer, lines: ReservedLine[]): string => {
    const order = toJson(
      {
        id: intent.id,
        userId,
        status: 'pending',
        totalMinor: BigInt(totalOf(lines)),
        currency: money.currency,
        shippingAddress: request.shipping_address ?? null,
        note: request.note ?? null,
        createdAt: intent.createdAt,
        updatedAt: intent.createdAt,
        lines: lines.map((line) => ({
          productId: line.product_id,
          name: line.name,
          priceMinor: BigInt(line.price_minor),
          quantity: line.quantity,
          sellerId: line.owner_id,
        })),
      },
      { id: userId, role },
    );
    return JSON.stringify(placedOrder.parse({ message: 'Order created successfully', order }));
  };
}
