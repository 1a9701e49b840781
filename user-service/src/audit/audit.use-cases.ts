import { toPage, toWindow } from '@shop/service-kit/http/paging';
import type { Logger } from 'pino';
import type { Prisma } from '../generated/prisma/client.ts';
import { createAuditRepository, type SecurityEvent } from './audit.repository.ts';
import { type AuditKey, type AuditQuery, auditCursor } from './audit.schemas.ts';
import { createFailedLogins } from './failed-logins.ts';

interface AuditOptions {
  db: Prisma.TransactionClient;
  logger: Logger;
}

/** The audit trail: who did what, to whom, from where. */
export function createAuditUseCases({ db, logger }: AuditOptions) {
  const trail = createAuditRepository(db);
  const failedLogins = createFailedLogins({ trail, logger });
  return {
    /** @param tx the transaction that does it: neither is there without the other */
    record: (tx: Prisma.TransactionClient, ...events: SecurityEvent[]): Promise<void> =>
      createAuditRepository(tx).record(events),

    /** Written beside the request, a moment later. @param userId undefined for a name that nobody has */
    noteFailure: failedLogins.note,

    async list({ user_id, event, from, to, ...paging }: AuditQuery) {
      const filter = { user_id, event, from, to };
      const window = toWindow(paging, auditCursor);
      const [rows, { total, isLeast }] = await Promise.all([trail.list(filter, window), trail.count(filter)]);
      const page = toPage(
        window,
        rows,
        total,
        ({ created_at, id }): AuditKey => [created_at.toISOString(), id],
      );
      return { events: page.rows, ...page.paging, total_is_estimate: isLeast };
    },

    /** @param tx the transaction that deletes the user */
    forgetOrigins: (userId: number, tx: Prisma.TransactionClient): Promise<void> =>
      createAuditRepository(tx).forgetOrigins(userId),

    /** Writes what was noted last. */
    close: failedLogins.close,
  };
}

export type AuditUseCases = ReturnType<typeof createAuditUseCases>;
