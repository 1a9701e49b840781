import type { Turns } from '@shop/service-kit/deadline/turns';
import { defineRoute } from '@shop/service-kit/http/define-route';
import { originOf } from '../audit/origin.ts';
import { errorsOf } from './password.errors.ts';
import type { PasswordSchemas } from './password.schemas.ts';
import type { PasswordUseCases } from './password.use-cases.ts';
import type { ResetUseCases } from './reset.use-cases.ts';

interface PasswordRouteOptions {
  passwords: PasswordUseCases;
  resets: ResetUseCases;
  queue: Turns;
  schemas: PasswordSchemas;
}

export function passwordRoutes({ passwords, resets, queue, schemas }: PasswordRouteOptions) {
  return [
    defineRoute({
      method: 'put',
      path: '/api/users/me/password',
      operationId: 'changePassword',
      tag: 'Passwords',
      summary: 'Change the password of the signed-in user',
      description: 'Revokes every other session. The response has new tokens for this one.',
      who: 'user',
      limit: 'user_writes',
      timeLimit: 'password',
      body: schemas.change,
      status: 200,
      response: schemas.changed,
      errors: errorsOf.changePassword,
      handler: async ({ user, body, caller }) => ({
        message: 'Password changed successfully',
        tokens: await queue(() => passwords.change(user, body, originOf(caller))),
      }),
    }),
    defineRoute({
      method: 'post',
      path: '/api/users/password-reset',
      operationId: 'requestPasswordReset',
      tag: 'Passwords',
      summary: 'Email a link that resets the password',
      description:
        'The response is the same for an address that no account has. The link is valid for 30 minutes, once.',
      who: 'anyone',
      limit: 'password_reset',
      body: schemas.resetRequest,
      status: 202,
      response: schemas.requested,
      async handler({ body, caller }) {
        await resets.request(body.email, originOf(caller));
        return { message: 'If an account has this address, an email with a link is on its way' };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/api/users/password-reset/confirm',
      operationId: 'resetPassword',
      tag: 'Passwords',
      summary: 'Set a new password with the token of an emailed link',
      description: 'Revokes all sessions of the user, and lifts the lock after too many failed logins.',
      who: 'anyone',
      limit: 'password_reset',
      timeLimit: 'password',
      body: schemas.reset,
      status: 200,
      response: schemas.done,
      errors: errorsOf.resetPassword,
      async handler({ body, caller }) {
        await queue(() => resets.confirm(body.token, body.new_password, originOf(caller)));
        return { message: 'Password reset successfully' };
      },
    }),
  ];
}
