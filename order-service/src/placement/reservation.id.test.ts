import { expect, test } from '@jest/globals';
import { validate, version } from 'uuid';
import { newReservationId } from './reservation.id.ts';

test('ids of reservations are different UUIDv7 in the order of time', async () => {
  const ids = Array.from({ length: 1000 }, newReservationId);
  await new Promise((resolve) => setTimeout(resolve, 2));
  const later = newReservationId();
  expect(new Set([...ids, later]).size).toBe(1001);
  for (const id of ids) expect([validate(id), version(id), id < later]).toEqual([true, 7, true]);
});
