import { inBatches } from '@shop/service-kit/jobs/in-batches';
import type { PeriodicTask } from '@shop/service-kit/jobs/start-jobs';
import { createChangesRepository } from './accounts/changes.repository.ts';
import { createAuditRepository } from './audit/audit.repository.ts';
import type { Prisma } from './generated/prisma/client.ts';
import { createMailRepository } from './mail/mail.repository.ts';
import { createMailTokenRepository } from './mail/mail-token.repository.ts';
import { createSessionRepository } from './sessions/session.repository.ts';

/** Milliseconds. */
const INTERVAL = 60_000;

/** Removes what is of no more use, in batches until none is left. */
export function cleanupPeriodic(
  db: Prisma.TransactionClient,
  config: { AUDIT_RETENTION_DAYS: number },
): Record<string, PeriodicTask> {
  const mails = createMailRepository(db);
  const audit = createAuditRepository(db);
  const inTurns = (work: (size: number) => Promise<number>): PeriodicTask => ({
    every: INTERVAL,
    run: (signal) => inBatches(work, { signal }),
  });
  return {
    remove_sessions: inTurns(createSessionRepository(db).removeOld),
    remove_mail_tokens: inTurns(createMailTokenRepository(db).removeExpired),
    remove_mail_requests: inTurns(mails.removeOldRequests),
    remove_security_events: inTurns((size) => audit.removeOld(config.AUDIT_RETENTION_DAYS, size)),
    remove_account_changes: inTurns(createChangesRepository(db).removeOld),
    adopt_waiting_mails: inTurns(mails.adoptWaiting),
    remove_sent_mails: inTurns(mails.removeSent),
  };
}
