import { randomUUID } from 'node:crypto';
import type { Accounts } from '@shop/service-kit/accounts/accounts';
import type { User } from '@shop/service-kit/http/request-context';
import type { Logger } from 'pino';
import type { AuditUseCases } from '../audit/audit.use-cases.ts';
import type { Origin } from '../audit/origin.ts';
import type { Prisma, PrismaClient } from '../generated/prisma/client.ts';
import type { MailUseCases } from '../mail/mail.use-cases.ts';
import { InvalidCredentials } from '../passwords/password.errors.ts';
import {
  EmailNotVerified,
  InvalidRefreshToken,
  SessionEnded,
  SessionNotFound,
  TokenReused,
} from './session.errors.ts';
import { createSessionRepository, type EndReason } from './session.repository.ts';
import type { TokenIssuer } from './token.issuer.ts';
import type { Tokens } from './tokens.answer.ts';

interface SessionOptions {
  db: PrismaClient;
  tokens: TokenIssuer;
  accounts: Accounts;
  /** Whether only users with a verified address get tokens. */
  requireVerifiedEmail: boolean;
  mails: MailUseCases;
  audit: AuditUseCases;
}

/** Whose password was checked, and which version of it. */
interface Owner {
  userId: number;
  passwordVersion: number;
}

/** Sign-ins from their first tokens to their end. Whatever ends one makes its access tokens worthless everywhere. */
export function createSessionUseCases(options: SessionOptions) {
  const { db, tokens, accounts, requireVerifiedEmail, mails, audit } = options;
  const sessions = createSessionRepository(db);
  const lifetime = tokens.refreshLifetime;

  const start = async (owner: Owner, origin: Origin, tx: Prisma.TransactionClient): Promise<Tokens> => {
    const id = randomUUID();
    const refreshToken = tokens.newRefreshToken(id, owner.passwordVersion);
    const session = { id, refreshToken, lifetime, device: origin };
    const holder = await createSessionRepository(tx).start(owner, session);
    if (holder === undefined) throw new InvalidCredentials();
    return tokens.pairOf(holder, refreshToken);
  };
  const refuseUnverified = async (userId: number, origin: Origin): Promise<never> => {
    await db.$transaction(async (tx) => {
      await mails.ask(userId, 'verify_email', tx);
      await audit.record(tx, { event: 'login_refused', userId, origin });
    });
    throw new EmailNotVerified();
  };
  type Ending = { event: 'logout' | 'logout_all' | 'session_ended'; reason: EndReason; only?: string };
  const end = async (user: User, { event, reason, only }: Ending, origin: Origin): Promise<number> => {
    const ended = await db.$transaction(async (tx) => {
      const over = await createSessionRepository(tx).end(user.id, reason, { only: only ?? null });
      if (over === 0) return over;
      const sessionsOver = { sessions: over };
      const told = { event, userId: user.id, actorId: user.id, origin, details: sessionsOver };
      await audit.record(tx, told);
      return over;
    });
    await accounts.catchUp();
    return ended;
  };

  return {
    /** Only users with a verified address get tokens. */
    requireVerifiedEmail,

    /** The first tokens of a new account. @param tx the transaction that opens it */
    start,

    /**
     * @throws EmailNotVerified, and a mail is on its way; InvalidCredentials when the password was changed meanwhile
     */
    async logIn(owner: Owner & { emailVerified: boolean }, origin: Origin): Promise<Tokens> {
      const { userId, emailVerified } = owner;
      if (requireVerifiedEmail && !emailVerified) return refuseUnverified(userId, origin);
      const { first, surplus } = await db.$transaction(async (tx) => {
        const first = await start(owner, origin, tx);
        const surplus = await createSessionRepository(tx).endSurplus(userId);
        await audit.record(tx, { event: 'login_succeeded', userId, actorId: userId, origin });
        return { first, surplus };
      });
      if (surplus > 0) await accounts.catchUp();
      return first;
    },

    /**
     * A new pair for the session's current refresh token, which is spent by it; for the one before it, shortly after,
     * the same pair but for the time it was made.
     * @throws InvalidRefreshToken, also for a token from before a change of the password; EmailNotVerified; TokenReused
     *   for a spent token, and the session is over
     */
    async refresh(token: string, origin: Origin, log: Logger): Promise<Tokens> {
      const presented = tokens.readRefreshToken(token);
      if (presented === undefined) throw new InvalidRefreshToken();
      const { sessionId, passwordVersion, hash } = presented;
      const owner = requireVerifiedEmail ? await sessions.findOwner(sessionId) : undefined;
      if (owner?.emailVerified === false) return refuseUnverified(owner.id, origin);
      const refreshToken = tokens.successorOf(presented);
      const next = { refreshToken, lifetime, device: origin };
      const holder = await sessions.rotate(sessionId, hash, next);
      if (holder !== undefined) return tokens.pairOf(holder, refreshToken);
      const [ended] = await db.$transaction(async (tx) => {
        const over = await createSessionRepository(tx).endLiving(sessionId, passwordVersion, 'token_reused');
        const events = over.map(({ userId }) => ({
          event: 'token_reused' as const,
          userId: userId ?? undefined,
          origin,
        }));
        await audit.record(tx, ...events);
        return over;
      });
      if (ended === undefined) throw new InvalidRefreshToken();
      await accounts.catchUp();
      log.warn({ session_id: sessionId }, 'a spent refresh token was used again: session ended');
      throw new TokenReused();
    },

    /** @throws SessionNotFound for a session that has ended or is someone else's */
    async endOne(user: User, id: string, origin: Origin): Promise<void> {
      const ended = await end(user, { event: 'session_ended', reason: 'ended_by_user', only: id }, origin);
      if (ended === 0) throw new SessionNotFound();
    },

    async logOut(user: User, origin: Origin): Promise<void> {
      await end(user, { event: 'logout', reason: 'logout', only: user.sessionId }, origin);
    },

    async logOutEverywhere(user: User, origin: Origin): Promise<void> {
      await end(user, { event: 'logout_all', reason: 'logout_all' }, origin);
    },

    /** @param current the session that asks */
    async list(userId: number, current: string) {
      const living = await sessions.listLiving(userId);
      return living.map(({ id, createdAt, lastUsedAt, userAgent, ip }) => ({
        id,
        created_at: createdAt,
        last_used_at: lastUsedAt,
        user_agent: userAgent,
        ip,
        current: id === current,
      }));
    },

    /**
     * Ends the user's other sessions and begins a new line of tokens in this one.
     * @param passwordVersion of the new password
     * @param tx the transaction that changes the password; to be announced after its commit
     * @throws SessionEnded
     */
    async keepOnly(
      user: User,
      passwordVersion: number,
      reason: EndReason,
      tx: Prisma.TransactionClient,
    ): Promise<Tokens> {
      const inside = createSessionRepository(tx);
      await inside.end(user.id, reason, { except: user.sessionId });
      const refreshToken = tokens.newRefreshToken(user.sessionId, passwordVersion);
      const renewed = await inside.renew(user.sessionId, user.id, refreshToken);
      if (renewed === undefined) throw new SessionEnded();
      return tokens.pairOf(renewed, refreshToken);
    },

    /** @param tx the transaction that is the reason; to be announced after its commit @returns how many */
    endAll(userId: number, reason: EndReason, tx: Prisma.TransactionClient): Promise<number> {
      return createSessionRepository(tx).end(userId, reason);
    },

    /** Ends all and forgets where they were. @param tx the transaction that deletes the user */
    async endForGood(userId: number, tx: Prisma.TransactionClient): Promise<void> {
      const inside = createSessionRepository(tx);
      await inside.end(userId, 'user_deleted');
      await inside.forgetDevices(userId);
    },

    /** After the commit of what ended sessions or changed a role: this process refuses their tokens from now on. */
    announce: () => accounts.catchUp(),
  };
}

export type SessionUseCases = ReturnType<typeof createSessionUseCases>;
