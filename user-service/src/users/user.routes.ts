import type { Turns } from '@shop/service-kit/deadline/turns';
import { defineRoute } from '@shop/service-kit/http/define-route';
import { idParams } from '@shop/service-kit/http/fields';
import { rawReply, reply } from '@shop/service-kit/http/reply';
import { originOf } from '../audit/origin.ts';
import { toUserResponse } from '../identity/user.response.ts';
import { toSessionResponse } from '../sessions/session.response.ts';
import { sessionsResponse } from '../sessions/session.schemas.ts';
import type { Register } from './registration.use-case.ts';
import { errorsOf } from './user.errors.ts';
import {
  changedUser,
  changesBody,
  done,
  oneUser,
  roleBody,
  type UserSchemas,
  usersQuery,
  usersResponse,
} from './user.schemas.ts';
import type { UserUseCases } from './user.use-cases.ts';

interface UserRouteOptions {
  users: UserUseCases;
  register: Register;
  queue: Turns;
  schemas: UserSchemas;
}

const SELF_OR_ADMIN = 'the user themselves and admins';

export function userRoutes({ users, register, queue, schemas }: UserRouteOptions) {
  return [
    defineRoute({
      method: 'post',
      path: '/api/users/register',
      operationId: 'registerUser',
      tag: 'Users',
      summary: 'Open an account and sign in',
      responseHeaders: ['Location'],
      who: 'anyone',
      limit: 'register',
      timeLimit: 'password',
      body: schemas.registration,
      status: 201,
      response: schemas.registered,
      errors: errorsOf.registerUser,
      async handler({ body, caller }) {
        const { account, tokens } = await queue(() => register(body, originOf(caller)));
        const user = toUserResponse(account);
        const headers = { Location: `/api/users/${user.id}` };
        return reply({ message: 'User registered successfully', user, tokens }, { headers });
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/users/me',
      operationId: 'getMe',
      tag: 'Users',
      summary: 'Get the signed-in user',
      who: 'user',
      conditional: true,
      responseHeaders: ['Cache-Status'],
      limit: 'user_reads',
      status: 200,
      response: oneUser,
      async handler({ user }) {
        const { bytes, etag, hit } = await users.readOwn(user.id);
        return rawReply(bytes, { etag, headers: { 'Cache-Status': hit ? 'me; hit' : 'me; fwd=miss' } });
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/users',
      operationId: 'listUsers',
      tag: 'Users',
      summary: 'List and search users',
      who: 'admin',
      limit: 'user_reads',
      query: usersQuery,
      status: 200,
      response: usersResponse,
      async handler({ query }) {
        const { rows, paging } = await users.list(query);
        return { users: rows.map(toUserResponse), ...paging };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/users/:id',
      operationId: 'getUser',
      tag: 'Users',
      summary: 'Get one user',
      who: 'user',
      only: SELF_OR_ADMIN,
      limit: 'user_reads',
      params: idParams,
      status: 200,
      response: oneUser,
      errors: errorsOf.getUser,
      handler: async ({ user, params }) => ({ user: toUserResponse(await users.find(user, params.id)) }),
    }),
    defineRoute({
      method: 'put',
      path: '/api/users/:id',
      operationId: 'updateUser',
      tag: 'Users',
      summary: 'Change the name or email address of a user',
      description: 'A new email address starts unverified. The old address is notified by email.',
      who: 'user',
      only: SELF_OR_ADMIN,
      limit: 'user_writes',
      params: idParams,
      body: changesBody,
      status: 200,
      response: changedUser,
      errors: errorsOf.updateUser,
      handler: async ({ user, params, body, caller }) => ({
        message: 'User updated successfully',
        user: toUserResponse(await users.change(user, params.id, body, originOf(caller))),
      }),
    }),
    defineRoute({
      method: 'delete',
      path: '/api/users/:id',
      operationId: 'deleteUser',
      tag: 'Users',
      summary: 'Delete a user and their personal data',
      description:
        'Revokes all their sessions and takes their products off sale. Orders stay, without address and note once they have ended. The last admin cannot be deleted.',
      who: 'user',
      only: SELF_OR_ADMIN,
      limit: 'user_writes',
      params: idParams,
      status: 200,
      response: done('User deleted successfully'),
      errors: errorsOf.deleteUser,
      async handler({ user, params, caller }) {
        await users.remove(user, params.id, originOf(caller));
        return { message: 'User deleted successfully' };
      },
    }),
    defineRoute({
      method: 'put',
      path: '/api/users/:id/role',
      operationId: 'setUserRole',
      tag: 'Users',
      summary: 'Make a user an admin, or a customer again',
      description: 'There is always at least one admin. Admins cannot change their own role.',
      who: 'admin',
      only: 'for users other than themselves',
      limit: 'user_writes',
      params: idParams,
      body: roleBody,
      status: 200,
      response: oneUser,
      errors: errorsOf.setUserRole,
      handler: async ({ user, params, body, caller }) => ({
        user: toUserResponse(await users.setRole(user, params.id, body.role, originOf(caller))),
      }),
    }),
    defineRoute({
      method: 'get',
      path: '/api/users/:id/sessions',
      operationId: 'listUserSessions',
      tag: 'Sessions',
      summary: 'List the sessions of a user',
      who: 'admin',
      limit: 'user_reads',
      params: idParams,
      status: 200,
      response: sessionsResponse,
      errors: errorsOf.listUserSessions,
      async handler({ user, params }) {
        const active = await users.listSessions(params.id);
        return { sessions: active.map(toSessionResponse(user.sessionId)) };
      },
    }),
    defineRoute({
      method: 'delete',
      path: '/api/users/:id/sessions',
      operationId: 'revokeUserSessions',
      tag: 'Sessions',
      summary: 'Revoke all sessions of a user',
      responseDescription: 'All sessions are revoked',
      who: 'admin',
      limit: 'user_writes',
      params: idParams,
      status: 204,
      errors: errorsOf.revokeUserSessions,
      async handler({ user, params, caller }) {
        await users.revokeSessions(user, params.id, originOf(caller));
        return undefined;
      },
    }),
  ];
}
