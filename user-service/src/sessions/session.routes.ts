import { defineRoute } from '@shop/service-kit/http/define-route';
import { originOf } from '../audit/origin.ts';
import { errorsOf, refreshTokenRequired } from './session.errors.ts';
import { toSessionResponse } from './session.response.ts';
import {
  refreshBody,
  refreshed,
  refreshHeaders,
  sessionParams,
  sessionsResponse,
} from './session.schemas.ts';
import type { SessionUseCases } from './session.use-cases.ts';

export function sessionRoutes(sessions: SessionUseCases) {
  return [
    defineRoute({
      method: 'post',
      path: '/api/users/refresh',
      operationId: 'refreshTokens',
      tag: 'Sessions',
      summary: 'Exchange a refresh token for new tokens',
      description:
        'The refresh token goes in the body, or as the Bearer token. It is valid once: using it again is `token_reused` and revokes the session, except when the last call is retried within 10 s.',
      who: 'anyone',
      limit: 'refresh',
      headers: refreshHeaders,
      body: refreshBody,
      status: 200,
      response: refreshed,
      errors: errorsOf.refreshTokens,
      async handler({ body, headers, caller }) {
        const token = body.refresh_token ?? headers.authorization;
        if (token === undefined) throw refreshTokenRequired();
        return { tokens: await sessions.refresh(token ?? '', originOf(caller), caller.log) };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/api/users/logout',
      operationId: 'logout',
      tag: 'Sessions',
      summary: 'Sign out: revoke this session',
      description: 'Its access tokens stop working in every service within 5 s.',
      responseDescription: 'Signed out',
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
      operationId: 'logoutEverywhere',
      tag: 'Sessions',
      summary: 'Revoke all sessions of the signed-in user',
      description: 'Their access tokens stop working in every service within 5 s.',
      responseDescription: 'All sessions are revoked',
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
      operationId: 'listMySessions',
      tag: 'Sessions',
      summary: 'List the sessions of the signed-in user',
      who: 'user',
      limit: 'user_reads',
      status: 200,
      response: sessionsResponse,
      async handler({ user }) {
        const active = await sessions.list(user.id);
        return { sessions: active.map(toSessionResponse(user.sessionId)) };
      },
    }),
    defineRoute({
      method: 'delete',
      path: '/api/users/me/sessions/:id',
      operationId: 'revokeMySession',
      tag: 'Sessions',
      summary: 'Revoke one session of the signed-in user',
      responseDescription: 'The session is revoked',
      who: 'user',
      only: 'the user whose session it is',
      limit: 'user_writes',
      params: sessionParams,
      status: 204,
      errors: errorsOf.revokeMySession,
      async handler({ user, params, caller }) {
        await sessions.revokeOne(user, params.id, originOf(caller));
        return undefined;
      },
    }),
  ];
}
