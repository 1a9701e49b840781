import type { Query } from '@shop/service-kit/postgres/query';
import { createAuditRepository, type SecurityEvent } from './audit.repository.ts';

/** Events whose origin is removed within the deletion of their user; a job does the rest. */
const FORGOTTEN_AT_ONCE = 1000;

/** As a part of the change that the events report: they are recorded if and only if it is committed. */
export const recordEvents = (query: Query, events: SecurityEvent[]): Promise<void> =>
  createAuditRepository(query).record(events);

/** As a part of the deletion of a user: removes where they acted from. */
export async function forgetOrigins(query: Query, userId: number): Promise<void> {
  const trail = createAuditRepository(query);
  const forgotten = await trail.forgetOrigins(userId, FORGOTTEN_AT_ONCE);
  if (forgotten === FORGOTTEN_AT_ONCE) await trail.forgetOriginsLater(userId);
}
