import { expect, test } from '@jest/globals';
import { openDatabase } from '@shop/service-kit/postgres/open-database';
import { createLogger } from '@shop/service-kit/runtime/logger';
import { Registry } from 'prom-client';
import { registerReservationMetrics } from '../src/inventory/reservation.metrics.ts';

test('reservations that cannot be counted are not reported, not even as none', async () => {
  const nowhere = openDatabase('postgresql://127.0.0.1:1/none', 1, createLogger('test', 'silent'));
  const registry = new Registry();
  registerReservationMetrics(registry, nowhere.query);
  expect(await registry.metrics()).not.toMatch(/^reservations_held/m);
  await nowhere.close();
});
