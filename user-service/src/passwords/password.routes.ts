import { defineRoute } from '@shop/service-kit/http/define-route';
import { Busy, WrongPassword } from './password.errors.ts';
import type { PasswordSchemas } from './password.schemas.ts';
import type { PasswordUseCases } from './password.use-cases.ts';

interface PasswordRouteOptions {
  passwords: PasswordUseCases;
  schemas: PasswordSchemas;
}

export function passwordRoutes({ passwords, schemas }: PasswordRouteOptions) {
  return [
    defineRoute({
      method: 'put',
      path: '/api/users/me/password',
      summary: 'Change the own password; every other session ends',
      who: 'user',
      limit: 'user_writes',
      body: schemas.change,
      status: 200,
      answer: schemas.changed,
      errors: [WrongPassword, Busy],
      handler: async ({ user, body }) => ({
        message: 'Password changed successfully',
        tokens: await passwords.change(user, body.current_password, body.new_password),
      }),
    }),
  ];
}
