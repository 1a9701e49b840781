import type { Logger } from 'pino';
import type { RedisConnection } from './connect.ts';

/** How often every process reads what was revoked, in milliseconds: well within the 5 s of the HTTP contract. */
const POLL_INTERVAL = 1000;
/** How far back a poll looks, in milliseconds: covers clocks of other machines that are behind. */
const OVERLAP = 60_000;

export interface Revoked {
  sessionId: string;
  at: Date;
}

/** Ended sessions, known in every process, so that asking costs a request nothing. */
export interface Revocations {
  /** @param issuedAt seconds since 1970: tokens made after the revocation are good */
  isRevoked(sessionId: string, issuedAt: number): boolean;
  /** Makes the tokens that these sessions have so far worthless, here at once and elsewhere within 5 s. */
  revoke(sessionIds: string[], at?: Date): Promise<void>;
  /** Tells again what was revoked earlier, each at its time: to a process or a Redis that has forgotten it. */
  restore(revoked: Revoked[]): Promise<void>;
  close(): void;
}

interface RevocationsOptions {
  redis: RedisConnection | undefined;
  logger: Logger;
  /** Seconds after which no token from before a revocation can be valid any more. */
  tokenLifetime: number;
}

/**
 * A sorted set in Redis that each process copies once a second. While Redis is away the copy stays in force and local
 * revocations are kept to be sent later. Its members are `<time of the revocation>:<session>` by the time they were
 * sent: one that is sent late is new to all who read, however long ago it was made.
 */
export function createRevocations({ redis, logger, tokenLifetime }: RevocationsOptions): Revocations {
  const revokedAt = new Map<string, number>();
  const unsent = new Map<string, number>();
  const key = `${redis?.prefix ?? ''}revocations`;
  let readUpTo = 0;

  const forgetExpired = () => {
    const oldest = Date.now() - tokenLifetime * 1000;
    for (const [session, at] of revokedAt) if (at < oldest) revokedAt.delete(session);
    return oldest;
  };
  const send = async () => {
    if (redis === undefined || unsent.size === 0) return;
    const batch = [...unsent];
    const now = Date.now();
    await redis.run((client) =>
      client.zadd(key, ...batch.flatMap(([session, at]) => [now, `${at}:${session}`])),
    );
    for (const [session, at] of batch) if (unsent.get(session) === at) unsent.delete(session);
  };
  const poll = async () => {
    const oldest = forgetExpired();
    if (redis?.isReady() !== true) return;
    await send();
    const now = Date.now();
    const since = Math.max(oldest, readUpTo - OVERLAP);
    const [rows] = await redis.run((client) =>
      Promise.all([
        client.zrangebyscore(key, since, '+inf'),
        client.zremrangebyscore(key, '-inf', `(${oldest}`),
      ]),
    );
    for (const row of rows) {
      const end = row.indexOf(':');
      note(row.slice(end + 1), Number(row.slice(0, end)));
    }
    readUpTo = now;
  };
  const note = (session: string, at: number) =>
    revokedAt.set(session, Math.max(at, revokedAt.get(session) ?? 0));
  const pollQuietly = () =>
    poll().catch((error: Error) => logger.warn({ reason: error.message }, 'revocations not read'));

  void pollQuietly();
  // After an absence everything is read again: a restored Redis may hold older entries.
  redis?.client.on('close', () => {
    readUpTo = 0;
  });
  const timer = setInterval(pollQuietly, POLL_INTERVAL).unref();
  const restore = async (revoked: Revoked[]) => {
    for (const { sessionId, at } of revoked) {
      note(sessionId, at.getTime());
      if (redis !== undefined) unsent.set(sessionId, Math.max(at.getTime(), unsent.get(sessionId) ?? 0));
    }
    await send().catch((error: Error) => logger.warn({ reason: error.message }, 'revocation is sent later'));
  };
  return {
    isRevoked: (session, issuedAt) => issuedAt * 1000 <= (revokedAt.get(session) ?? 0),
    revoke: (sessionIds, at = new Date()) => restore(sessionIds.map((sessionId) => ({ sessionId, at }))),
    restore,
    close: () => clearInterval(timer),
  };
}
