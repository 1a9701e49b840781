import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import { createPlacementRepository } from '../order-service/src/placement/placement.repository.ts';
import { createReservationRepository } from '../product-service/src/inventory/reservation.repository.ts';
import { createQuery } from '../service-kit/src/postgres/query.ts';

/** Milliseconds. */
const LOCK_WAIT = 10_000;

/**
 * The floor: the services' own statements for one order (intent, reserve, place, confirm), without HTTP, Express, validation,
 * tokens or logs, and without fetching and finishing the job in the queue.
 */
export function createFloor(orderUrl: string, productUrl: string, connections: number) {
  const orders = new Pool({ connectionString: orderUrl, max: connections });
  const products = new Pool({ connectionString: productUrl, max: connections });
  const placements = createPlacementRepository({ query: createQuery(orders), deadline: 30, lease: 5 });
  const reservations = createReservationRepository(createQuery(products));
  return {
    async placeOrder(userId: number, items: { product_id: number; quantity: number }[]): Promise<boolean> {
      const reservationId = randomUUID();
      const by = { userId, key: null };
      const wanted = { ...by, request: { products: items }, requestHash: '', reservationId, currency: 'USD' };
      const [intent] = await placements.insertIntents([wanted]);
      const reserve = async (wait: number) =>
        (
          await reservations.reserve(
            [{ reservation_id: reservationId, items }],
            'service:order-service',
            wait,
          )
        ).reservations[0];
      const first = await reserve(0);
      const reservation = first?.status === 'BUSY' ? await reserve(LOCK_WAIT) : first;
      if (intent == null || reservation === undefined) return false;
      if (reservation.lines === null) {
        const response = { status: 400, body: '{}', orderId: intent.id };
        await placements.reject([{ intent, by, response, release: false }]);
        return false;
      }
      const { lines } = reservation;
      const response = { status: 201, body: '{}', orderId: intent.id };
      const placed = await placements.place([{ intent, by, lines, total: 1000, response }]);
      await reservations.confirm([reservationId]);
      return placed.size === 1;
    },
    close: () => Promise.all([orders.end(), products.end()]),
  };
}
