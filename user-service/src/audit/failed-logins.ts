import { withOwnTime } from '@shop/service-kit/deadline/deadline';
import type { Logger } from 'pino';
import type { AuditRepository } from './audit.repository.ts';
import type { Origin } from './origin.ts';

/** A wrong password at login, a login refused by a lock, and a wrong password of a user who is signed in. */
type FailureEvent = 'login_failed' | 'login_locked' | 'wrong_password';

export interface FailedLogins {
  /** @param userId undefined for a name that no account has */
  note(userId: number | undefined, origin: Origin, event?: FailureEvent): void;
  /** Writes the events collected so far. */
  close(): Promise<void>;
}

interface FailedLoginsOptions {
  trail: AuditRepository;
  logger: Logger;
  /** Milliseconds. */
  interval?: number;
}

interface Noted {
  userId: number | undefined;
  actorId: number | undefined;
  origin: Origin;
  event: FailureEvent;
  attempts: number;
}

/** Most accounts and addresses with an event of their own in one interval; all others share one. */
const MAX_APART = 200;
const ELSEWHERE: Origin = { ip: null, userAgent: null, requestId: null };

/**
 * Collects failed logins for the audit trail and writes them outside the requests: a flood of them is one statement per
 * interval, and a known name takes no longer than an unknown one.
 */
export function createFailedLogins({ trail, logger, interval = 1000 }: FailedLoginsOptions): FailedLogins {
  let noted = new Map<string, Noted>();
  let timer: NodeJS.Timeout | undefined;

  const write = async () => {
    timer = undefined;
    const batch = [...noted.values()];
    noted = new Map();
    if (batch.length === 0) return;
    const events = batch.map(({ attempts, ...rest }) => ({
      ...rest,
      details: { attempts },
    }));
    await trail
      .record(events, true)
      .catch((error: unknown) =>
        logger.warn({ err: error, events: batch.length }, 'failed logins are missing in the audit trail'),
      );
  };

  return {
    note(userId, origin, event = 'login_failed') {
      const key = `${event} ${userId ?? ''} ${origin.ip}`;
      const isApart = noted.has(key) || noted.size < MAX_APART;
      const actorId = event === 'wrong_password' ? userId : undefined;
      const entry = isApart
        ? { userId, actorId, origin, event }
        : { userId: undefined, actorId: undefined, origin: ELSEWHERE, event };
      const place = isApart ? key : `${event} elsewhere`;
      noted.set(place, { ...entry, attempts: (noted.get(place)?.attempts ?? 0) + 1 });
      // The deadline of the request that happens to be first does not apply.
      timer ??= withOwnTime(Number.POSITIVE_INFINITY, () => setTimeout(write, interval)).unref();
    },
    async close() {
      clearTimeout(timer);
      await write();
    },
  };
}
