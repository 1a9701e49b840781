import type { Query } from '@shop/service-kit/postgres/query';
import { Gauge, type Registry } from 'prom-client';
import { createReservationRepository } from './reservation.repository.ts';

/** Gauges that are read from the database when they are asked for; missing while it is unavailable. */
export function registerReservationMetrics(registry: Registry, query: Query): void {
  const reservations = createReservationRepository(query);
  const registers = [registry];
  new Gauge({
    name: 'reservations_held',
    help: 'Reservations that wait for their order to be decided',
    registers,
    async collect() {
      const summary = await reservations.heldSummary().catch(() => undefined);
      if (summary === undefined) this.remove();
      else this.set(summary.count);
    },
  });
  new Gauge({
    name: 'reservations_held_oldest_seconds',
    help: 'Age of the oldest of them',
    registers,
    async collect() {
      const summary = await reservations.heldSummary().catch(() => undefined);
      if (summary === undefined) this.remove();
      else this.set(summary.oldest);
    },
  });
}
