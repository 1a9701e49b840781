import { randomUUID } from 'node:crypto';
import type { Caller } from '@shop/service-kit/http/define-route';
import type { User } from '@shop/service-kit/http/request-context';
import type { Revocations, Revoked } from '@shop/service-kit/redis/revocations';
import type { Prisma } from '../generated/prisma/client.ts';
import { InvalidCredentials } from '../passwords/password.errors.ts';
import { InvalidRefreshToken, SessionEnded, SessionNotFound, TokenReused } from './session.errors.ts';
import { createSessionRepository, type Device, type EndReason } from './session.repository.ts';
import type { TokenIssuer } from './token.issuer.ts';
import type { Tokens } from './tokens.answer.ts';

interface SessionOptions {
  db: Prisma.TransactionClient;
  tokens: TokenIssuer;
  revocations: Revocations;
}

const MAX_USER_AGENT = 300;

/** Sign-ins from their first tokens to their end. Whatever ends one makes its access tokens worthless everywhere. */
export function createSessionUseCases({ db, tokens, revocations }: SessionOptions) {
  const sessions = createSessionRepository(db);
  const lifetime = tokens.refreshLifetime;

  return {
    /**
     * @param owner whose password was checked, and which version of it
     * @throws InvalidCredentials when the password was changed meanwhile
     */
    async start(owner: { userId: number; passwordVersion: number }, caller: Caller): Promise<Tokens> {
      const id = randomUUID();
      const refreshToken = tokens.newRefreshToken(id);
      const session = { id, refreshToken, lifetime, device: deviceOf(caller) };
      const holder = await sessions.start(owner, session);
      if (holder === undefined) throw new InvalidCredentials();
      return tokens.pairOf(holder, refreshToken);
    },

    /**
     * A new pair for the session's current refresh token, which is spent by it; for the one before it, shortly after,
     * the same pair but for the time it was made.
     * @throws InvalidRefreshToken; TokenReused for a spent token, and the session is over
     */
    async refresh(token: string, caller: Caller): Promise<Tokens> {
      const presented = tokens.readRefreshToken(token);
      if (presented === undefined) throw new InvalidRefreshToken();
      const { sessionId, hash } = presented;
      const refreshToken = tokens.successorOf(presented);
      const next = { refreshToken, lifetime, device: deviceOf(caller) };
      const holder = await sessions.rotate(sessionId, hash, next);
      if (holder !== undefined) return tokens.pairOf(holder, refreshToken);
      const ended = await sessions.endLiving(sessionId, 'token_reused');
      if (ended.length === 0) throw new InvalidRefreshToken();
      await revocations.restore(ended);
      caller.log.warn({ session_id: sessionId }, 'a spent refresh token was used again: session ended');
      throw new TokenReused();
    },

    /** @throws SessionNotFound for a session that has ended or is someone else's */
    async endOne(user: User, id: string): Promise<void> {
      const ended = await sessions.end(user.id, 'ended_by_user', { only: id });
      if (ended.length === 0) throw new SessionNotFound();
      await revocations.restore(ended);
    },

    async logOut(user: User): Promise<void> {
      await revocations.restore(await sessions.end(user.id, 'logout', { only: user.sessionId }));
    },

    async logOutEverywhere(user: User): Promise<void> {
      await revocations.restore(await sessions.end(user.id, 'logout_all'));
    },

    async list(user: User) {
      const living = await sessions.listLiving(user.id);
      return living.map(({ id, createdAt, lastUsedAt, userAgent, ip }) => ({
        id,
        created_at: createdAt,
        last_used_at: lastUsedAt,
        user_agent: userAgent,
        ip,
        current: id === user.sessionId,
      }));
    },

    /**
     * Ends the user's other sessions and begins a new line of tokens in this one.
     * @param tx the transaction that changes the password; `revoked` is to be announced after its commit
     * @throws SessionEnded
     */
    async keepOnly(user: User, reason: EndReason, tx: Prisma.TransactionClient) {
      const inside = createSessionRepository(tx);
      const others = await inside.end(user.id, reason, { except: user.sessionId });
      const refreshToken = tokens.newRefreshToken(user.sessionId);
      const renewed = await inside.renew(user.sessionId, user.id, refreshToken);
      if (renewed === undefined) throw new SessionEnded();
      return {
        tokens: tokens.pairOf(renewed, refreshToken),
        revoked: [...others, { sessionId: renewed.sessionId, at: renewed.at }],
      };
    },

    /** Ends all and forgets where they were. @param tx the transaction that deletes the user */
    async endForGood(userId: number, tx: Prisma.TransactionClient): Promise<Revoked[]> {
      const inside = createSessionRepository(tx);
      const ended = await inside.end(userId, 'user_deleted');
      await inside.forgetDevices(userId);
      return ended;
    },

    /** Access tokens are made anew with what they say now. @param tx the transaction that changes the user */
    voidAccessTokens(userId: number, tx: Prisma.TransactionClient): Promise<Revoked[]> {
      return createSessionRepository(tx).voidAccessTokens(userId);
    },

    /** Tells all services; to be called after the commit of what was done in a transaction. */
    announce: (revoked: Revoked[]) => revocations.restore(revoked),
  };
}

export type SessionUseCases = ReturnType<typeof createSessionUseCases>;

function deviceOf({ userAgent, address }: Caller): Device {
  return { userAgent: userAgent?.slice(0, MAX_USER_AGENT) ?? null, ip: address === '' ? null : address };
}
