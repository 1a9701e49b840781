import { randomUUID } from 'node:crypto';
import type { Accounts } from '@shop/service-kit/accounts/accounts';
import type { VoidTokens } from '@shop/service-kit/accounts/known-changes';
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

/** Sessions from login to logout. Whatever revokes one makes its access tokens void in every service. */
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
  /** @returns false when it is not a living session of the user */
  const revokeOne = async (user: User, id: string, event: 'logout' | 'session_ended', origin: Origin) => {
    const reason = event === 'logout' ? 'logout' : 'ended_by_user';
    const isRevoked = await db.$transaction(async (tx) => {
      if (!(await createSessionRepository(tx).revoke(id, user.id, reason))) return false;
      const details = { sessions: 1 };
      await audit.record(tx, { event, userId: user.id, actorId: user.id, origin, details });
      return true;
    });
    if (isRevoked) accounts.voidTokens([{ sessionId: id }]);
    return isRevoked;
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
        const surplus = await createSessionRepository(tx).revokeSurplus(userId);
        await audit.record(tx, { event: 'login_succeeded', userId, actorId: userId, origin });
        return { first, surplus };
      });
      accounts.voidTokens(surplus.map((sessionId) => ({ sessionId })));
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
      const revoked = await db.$transaction(async (tx) => {
        const found = await createSessionRepository(tx).revokeReused(sessionId, passwordVersion);
        if (found !== undefined)
          await audit.record(tx, { event: 'token_reused', userId: found.userId, origin });
        return found;
      });
      if (revoked === undefined) throw new InvalidRefreshToken();
      accounts.voidTokens([{ sessionId }]);
      log.warn({ session_id: sessionId }, 'a spent refresh token was used again: session ended');
      throw new TokenReused();
    },

    /** @throws SessionNotFound for a session that was revoked before, or is someone else's */
    async endOne(user: User, id: string, origin: Origin): Promise<void> {
      if (!(await revokeOne(user, id, 'session_ended', origin))) throw new SessionNotFound();
    },

    async logOut(user: User, origin: Origin): Promise<void> {
      await revokeOne(user, user.sessionId, 'logout', origin);
    },

    async logOutEverywhere(user: User, origin: Origin): Promise<void> {
      const below = await db.$transaction(async (tx) => {
        const revoked = await createSessionRepository(tx).revokeAll(user.id, 'logout_all');
        if (revoked === undefined) return undefined;
        const { sessions, generation } = revoked;
        const details = { sessions };
        await audit.record(tx, { event: 'logout_all', userId: user.id, actorId: user.id, origin, details });
        return generation;
      });
      accounts.voidTokens([{ userId: user.id, below }]);
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
     * Revokes the user's other sessions and begins a new line of tokens in this one.
     * @param passwordVersion of the new password
     * @param tx the transaction that changes the password
     * @returns also what to pass to `announce` after its commit
     * @throws SessionEnded
     */
    async keepOnly(
      user: User,
      passwordVersion: number,
      reason: EndReason,
      tx: Prisma.TransactionClient,
    ): Promise<{ tokens: Tokens; voided: VoidTokens }> {
      const inside = createSessionRepository(tx);
      await inside.revokeAll(user.id, reason, user.sessionId);
      const refreshToken = tokens.newRefreshToken(user.sessionId, passwordVersion);
      const renewed = await inside.renew(user.sessionId, user.id, refreshToken);
      if (renewed === undefined) throw new SessionEnded();
      const voided = { userId: user.id, below: renewed.generation };
      return { tokens: tokens.pairOf(renewed, refreshToken), voided };
    },

    /** @param tx the transaction that is the reason; `voided` is to be announced after its commit */
    async endAll(userId: number, reason: EndReason, tx: Prisma.TransactionClient) {
      const revoked = await createSessionRepository(tx).revokeAll(userId, reason);
      return { sessions: revoked?.sessions ?? 0, voided: { userId, below: revoked?.generation } };
    },

    /** @param tx the transaction that deletes the user */
    remove: (userId: number, tx: Prisma.TransactionClient): Promise<void> =>
      createSessionRepository(tx).remove(userId),

    /** After the commit of what revoked sessions or changed a role: this process refuses their tokens from now on. */
    announce: (voided: VoidTokens) => accounts.voidTokens([voided]),
  };
}

export type SessionUseCases = ReturnType<typeof createSessionUseCases>;
