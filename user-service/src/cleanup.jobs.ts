import { inBatches } from '@shop/service-kit/jobs/in-batches';
import type { PeriodicTask } from '@shop/service-kit/jobs/start-jobs';
import type { Query } from '@shop/service-kit/postgres/query';
import { createChangesRepository } from './accounts/changes.repository.ts';
import { createAuditRepository } from './audit/audit.repository.ts';
import { createMailRepository } from './mail/mail.repository.ts';
import { createMailTokenRepository } from './mail/mail-token.repository.ts';
import { createSessionRepository } from './sessions/session.repository.ts';

/** Milliseconds. */
const INTERVAL = 60_000;

/** Removes rows that are no longer needed, in batches until none is left. */
export function cleanupPeriodic(
  query: Query,
  config: { AUDIT_RETENTION_DAYS: number },
): Record<string, PeriodicTask> {
  const mails = createMailRepository(query);
  const audit = createAuditRepository(query);
  const inTurns = (work: (size: number) => Promise<number>): PeriodicTask => ({
    every: INTERVAL,
    run: (signal) => inBatches(work, { signal }),
  });
  return {
    remove_sessions: inTurns(createSessionRepository(query).removeOld),
    remove_mail_tokens: inTurns(createMailTokenRepository(query).removeExpired),
    remove_mail_requests: inTurns(mails.removeOldRequests),
    remove_security_events: inTurns((size) => audit.removeOld(config.AUDIT_RETENTION_DAYS, size)),
    remove_account_changes: inTurns(createChangesRepository(query).removeOld),
    adopt_waiting_mails: inTurns(mails.adoptWaiting),
    remove_sent_mails: inTurns(mails.removeSent),
  };
}
