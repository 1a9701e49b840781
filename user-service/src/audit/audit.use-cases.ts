import {
  bigintTimeCursor,
  MOST_COUNTED,
  type TimeKey,
  toPage,
  toWindow,
} from '@shop/service-kit/http/paging';
import type { Query } from '@shop/service-kit/postgres/query';
import type { Logger } from 'pino';
import { createAuditRepository } from './audit.repository.ts';
import { toAuditResponse } from './audit.response.ts';
import type { AuditQuery } from './audit.schemas.ts';
import { createFailedLogins } from './failed-logins.ts';

interface AuditOptions {
  /** Plans each statement for its values. */
  unprepared: Query;
  logger: Logger;
}

/** The audit trail: who did what, to whom, from where. */
export function createAuditUseCases({ unprepared, logger }: AuditOptions) {
  const trail = createAuditRepository(unprepared);
  const failedLogins = createFailedLogins({ trail, logger });
  return {
    /** Recorded a moment later, outside the request. @param userId undefined for a name that no account has */
    noteFailure: failedLogins.note,

    async list({ user_id, event, from, to, ...paging }: AuditQuery) {
      const filter = { user_id, event, from, to };
      const window = toWindow(paging, bigintTimeCursor);
      const [rows, total] = await Promise.all([trail.list(filter, window), trail.count(filter)]);
      const page = toPage(window, rows, total, ({ createdAt, id }): TimeKey => [createdAt.toISOString(), id]);
      return {
        events: page.rows.map(toAuditResponse),
        ...page.paging,
        total_is_estimate: total >= MOST_COUNTED,
      };
    },

    /** Writes the failed logins that are still collected. */
    close: failedLogins.close,
  };
}

export type AuditUseCases = ReturnType<typeof createAuditUseCases>;
