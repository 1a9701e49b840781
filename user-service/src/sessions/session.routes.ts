import type { Turns } from '@shop/service-kit/deadline/turns';
import { Busy } from '@shop/service-kit/errors/http-errors';
import { defineRoute } from '@shop/service-kit/http/define-route';
import { originOf } from '../audit/origin.ts';
import type { CredentialUseCases } from '../passwords/credential.use-cases.ts';
import { InvalidCredentials } from '../passwords/password.errors.ts';
import type { UserUseCases } from '../users/user.use-cases.ts';
import {
  EmailNotVerified,
  InvalidRefreshToken,
  refreshTokenRequired,
  SessionNotFound,
  TokenReused,
} from './session.errors.ts';
import {
  loggedIn,
  loginBody,
  refreshBody,
  refreshed,
  refreshHeaders,
  sessionParams,
  sessionsAnswer,
} from './session.schemas.ts';
import type { SessionUseCases } from './session.use-cases.ts';

interface SessionRouteOptions {
  sessions: SessionUseCases;
  credentials: CredentialUseCases;
  users: UserUseCases;
  queue: Turns;
}

export function sessionRoutes({ sessions, credentials, users, queue }: SessionRouteOptions) {
  return [
    defineRoute({
      method: 'post',
      path: '/api/users/login',
      summary: 'Sign in by username or email',
      who: 'anyone',
      limit: 'login',
      patience: 'password',
      body: loginBody,
      status: 200,
      answer: loggedIn,
      errors: [InvalidCredentials, EmailNotVerified, Busy],
      handler: ({ body, caller }) =>
        queue(async () => {
          const origin = originOf(caller);
          const owner = await credentials.logIn(body.identifier, body.password, origin);
          const tokens = await sessions.logIn(owner, origin);
          return { message: 'Login successful', user: await users.own(owner.userId), tokens };
        }),
    }),
    defineRoute({
      method: 'post',
      path: '/api/users/refresh',
      summary: 'Exchange a refresh token, in the body or as the Bearer token, for a new pair',
      who: 'anyone',
      limit: 'refresh',
      headers: refreshHeaders,
      body: refreshBody,
      status: 200,
      answer: refreshed,
      errors: [InvalidRefreshToken, TokenReused, EmailNotVerified],
      async handler({ body, headers, caller }) {
        const token = body.refresh_token ?? headers.authorization;
        if (token === undefined) throw refreshTokenRequired();
        return { tokens: await sessions.refresh(token ?? '', originOf(caller), caller.log) };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/api/users/logout',
      summary: 'End this session',
      who: 'user',
      limit: 'user_writes',
      status: 204,
      async handler({ user, caller }) {
        await sessions.logOut(user, originOf(caller));
        return undefined;
      },
    }),
    defineRoute({
      method: 'post',
      path: '/api/users/logout-all',
      summary: 'End all sessions of the user',
      who: 'user',
      limit: 'user_writes',
      status: 204,
      async handler({ user, caller }) {
        await sessions.logOutEverywhere(user, originOf(caller));
        return undefined;
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/users/me/sessions',
      summary: 'List where the user is signed in',
      who: 'user',
      limit: 'user_reads',
      status: 200,
      answer: sessionsAnswer,
      handler: async ({ user }) => ({ sessions: await sessions.list(user.id, user.sessionId) }),
    }),
    defineRoute({
      method: 'delete',
      path: '/api/users/me/sessions/:id',
      summary: 'End one session of the user',
      who: 'user',
      only: 'whose session it is',
      limit: 'user_writes',
      params: sessionParams,
      status: 204,
      errors: [SessionNotFound],
      async handler({ user, params, caller }) {
        await sessions.endOne(user, params.id, originOf(caller));
        return undefined;
      },
    }),
  ];
}
