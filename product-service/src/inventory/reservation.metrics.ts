import { Gauge, type Registry } from 'prom-client';
import type { PrismaClient } from '../generated/prisma/client.ts';
import { createReservationRepository } from './reservation.repository.ts';

/** Gauges that are read from the database when they are asked for; missing while it is away. */
export function registerReservationMetrics(registry: Registry, db: PrismaClient): void {
  const reservations = createReservationRepository(db);
  const held = new Gauge({
    name: 'reservations_held',
    help: 'Reservations that wait for their order to be decided',
    registers: [registry],
    async collect() {
      const summary = await reservations.heldSummary().catch(() => undefined);
      if (summary === undefined) return;
      this.set(summary.count);
      oldest.set(summary.oldest);
    },
  });
  const oldest = new Gauge({
    name: 'reservations_held_oldest_seconds',
    help: 'Age of the oldest of them',
    registers: [registry],
  });
  held.set(0);
}
