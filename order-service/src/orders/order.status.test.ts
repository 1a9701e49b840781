import { describe, expect, test } from '@jest/globals';
import { mayBecome, ORDER_STATUSES, transitionsFrom } from './order.status.ts';

describe('order status', () => {
  test('goes one way from pending to delivered, and to cancelled only before it is shipped', () => {
    const allowed = ORDER_STATUSES.flatMap((from) =>
      ORDER_STATUSES.filter((to) => mayBecome(from, to)).map((to) => `${from} -> ${to}`),
    );
    expect(allowed).toEqual([
      'pending -> processing',
      'pending -> cancelled',
      'processing -> shipped',
      'processing -> cancelled',
      'shipped -> delivered',
    ]);
  });

  test('ends with delivered and cancelled', () => {
    expect(transitionsFrom('delivered')).toEqual([]);
    expect(transitionsFrom('cancelled')).toEqual([]);
  });
});
