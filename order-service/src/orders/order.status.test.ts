import { describe, expect, test } from '@jest/globals';
import { mayBecome, ORDER_STATUSES, transitionsFrom } from './order.status.ts';

describe('order status', () => {
  test('goes from pending to delivered step by step, and to cancelled only before it is shipped', () => {
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

  test('does not change after delivered or cancelled', () => {
    expect(transitionsFrom('delivered')).toEqual([]);
    expect(transitionsFrom('cancelled')).toEqual([]);
  });
});
