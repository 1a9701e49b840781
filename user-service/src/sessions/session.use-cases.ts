import { randomUUID } from 'node:crypto';
import type { User } from '@shop/service-kit/http/principal';
import type { Query } from '@shop/service-kit/postgres/query';
import type { Logger } from 'pino';
import type { Change, ChangeAccounts } from '../accounts/account.changer.ts';
import type { Origin } from '../audit/origin.ts';
import { requestMail } from '../mail/mail.steps.ts';
import type { Holder, TokenIssuer } from '../tokens/token.issuer.ts';
import type { Tokens } from '../tokens/tokens.response.ts';
import {
  EmailNotVerified,
  InvalidRefreshToken,
  SessionEnded,
  SessionNotFound,
  TokenReused,
} from './session.errors.ts';
import { type ActiveSession, createSessionRepository, type EndReason } from './session.repository.ts';

interface SessionOptions {
  query: Query;
  change: ChangeAccounts;
  tokens: TokenIssuer;
  /** Whether only users with a verified address get tokens. */
  requireVerifiedEmail: boolean;
}

/** A user, and the version of the password that was checked. */
export interface Owner {
  userId: number;
  passwordVersion: number;
}

export interface Started {
  tokens: Tokens;
  role: Holder['role'];
}

/** Sessions from login to logout. Whatever revokes one makes its access tokens void in every service. */
export function createSessionUseCases({ query, change, tokens, requireVerifiedEmail }: SessionOptions) {
  const sessions = createSessionRepository(query);
  const lifetime = tokens.refreshLifetime;

  const refuseUnverified = async (userId: number, origin: Origin): Promise<never> => {
    await change([], async ({ query, record }) => {
      await requestMail(query, userId, 'verify_email');
      record({ event: 'login_refused', userId, origin });
    });
    throw new EmailNotVerified();
  };

  return {
    requireVerifiedEmail,

    /** @throws EmailNotVerified where that is required: an email with a link is on its way */
    async requireVerified(userId: number, emailVerified: boolean, origin: Origin): Promise<void> {
      if (requireVerifiedEmail && !emailVerified) await refuseUnverified(userId, origin);
    },

    /**
     * Begins a session, as a part of a change. A user has at most 50: the one used least recently is revoked.
     * @returns undefined when the password was changed since it was checked, or the user is gone
     */
    async start(owner: Owner, origin: Origin, { query, voidTokens }: Change): Promise<Started | undefined> {
      const inside = createSessionRepository(query);
      const id = randomUUID();
      const refreshToken = tokens.newRefreshToken(id, owner.passwordVersion);
      const holder = await inside.start(owner, { id, refreshToken, lifetime, device: origin });
      if (holder === undefined) return undefined;
      for (const sessionId of await inside.revokeSurplus(owner.userId)) voidTokens({ sessionId });
      return { tokens: tokens.pairOf(holder, refreshToken), role: holder.role };
    },

    /**
     * A new pair for the session's current refresh token, which is spent by it; for the one before it, shortly after,
     * the same pair but for the time of issue.
     * @throws InvalidRefreshToken, also for a token from before a change of the password; EmailNotVerified; TokenReused
     *   for a spent token, and the session is revoked
     */
    async refresh(token: string, origin: Origin, log: Logger): Promise<Tokens> {
      const presented = tokens.readRefreshToken(token);
      if (presented === undefined) throw new InvalidRefreshToken();
      const { sessionId, passwordVersion, hash } = presented;
      const owner = requireVerifiedEmail ? await sessions.findOwner(sessionId) : undefined;
      if (owner?.emailVerified === false) return refuseUnverified(owner.id, origin);
      const refreshToken = tokens.successorOf(presented);
      const holder = await sessions.rotate(sessionId, hash, { refreshToken, lifetime, device: origin });
      if (holder !== undefined) return tokens.pairOf(holder, refreshToken);
      await change([], async ({ query, record, voidTokens }) => {
        const reused = await createSessionRepository(query).revokeReused(sessionId, passwordVersion);
        if (reused === undefined) throw new InvalidRefreshToken();
        record({ event: 'token_reused', userId: reused.userId, origin });
        voidTokens({ sessionId });
      });
      log.warn({ session_id: sessionId }, 'a spent refresh token was used again: session revoked');
      throw new TokenReused();
    },

    /** @throws SessionNotFound for a session that was revoked before, or is someone else's */
    revokeOne(user: User, id: string, origin: Origin): Promise<void> {
      return change([], async ({ query, record, voidTokens }) => {
        const isOwn = await createSessionRepository(query).revoke(id, user.id, 'ended_by_user');
        if (!isOwn) throw new SessionNotFound();
        const details = { sessions: 1 };
        record({ event: 'session_ended', userId: user.id, actorId: user.id, origin, details });
        voidTokens({ sessionId: id });
      });
    },

    logOut(user: User, origin: Origin): Promise<void> {
      const { id: userId, sessionId } = user;
      return change([], async ({ query, record, voidTokens }) => {
        if (!(await createSessionRepository(query).revoke(sessionId, userId, 'logout'))) return;
        record({ event: 'logout', userId, actorId: userId, origin, details: { sessions: 1 } });
        voidTokens({ sessionId });
      });
    },

    logOutEverywhere(user: User, origin: Origin): Promise<void> {
      const { id: userId } = user;
      return change([], async ({ query, record, voidTokens }) => {
        const revoked = await createSessionRepository(query).revokeAll(userId, 'logout_all');
        if (revoked === undefined) return;
        const { sessions, generation } = revoked;
        record({ event: 'logout_all', userId, actorId: userId, origin, details: { sessions } });
        voidTokens({ userId, below: generation });
      });
    },

    list: (userId: number): Promise<ActiveSession[]> => sessions.listActive(userId),

    /**
     * Revokes the user's other sessions and begins a new line of tokens in this one, as a part of a change.
     * @param passwordVersion of the new password
     * @throws SessionEnded
     */
    async keepOnly(
      user: User,
      passwordVersion: number,
      reason: EndReason,
      { query, voidTokens }: Change,
    ): Promise<Tokens> {
      const inside = createSessionRepository(query);
      await inside.revokeAll(user.id, reason, user.sessionId);
      const refreshToken = tokens.newRefreshToken(user.sessionId, passwordVersion);
      const renewed = await inside.renew(user.sessionId, user.id, { refreshToken, lifetime });
      if (renewed === undefined) throw new SessionEnded();
      voidTokens({ userId: user.id, below: renewed.generation });
      return tokens.pairOf(renewed, refreshToken);
    },

    /** As a part of a change. @returns how many were revoked; undefined without such a user */
    async revokeAll(
      userId: number,
      reason: EndReason,
      { query, voidTokens }: Change,
    ): Promise<number | undefined> {
      const revoked = await createSessionRepository(query).revokeAll(userId, reason);
      if (revoked !== undefined) voidTokens({ userId, below: revoked.generation });
      return revoked?.sessions;
    },

    /** Of a user who is about to be deleted, as a part of a change. */
    async remove(userId: number, { query, voidTokens }: Change): Promise<void> {
      await createSessionRepository(query).remove(userId);
      voidTokens({ userId });
    },
  };
}

export type SessionUseCases = ReturnType<typeof createSessionUseCases>;
