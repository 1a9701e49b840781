import type { Turns } from '@shop/service-kit/deadline/turns';
import { defineRoute } from '@shop/service-kit/http/define-route';
import { originOf } from '../audit/origin.ts';
import { toUserResponse } from '../identity/user.response.ts';
import { loggedIn, loginBody } from './login.schemas.ts';
import type { LogIn } from './login.use-case.ts';
import { errorsOf } from './password.errors.ts';

interface LoginRouteOptions {
  logIn: LogIn;
  queue: Turns;
}

export function loginRoutes({ logIn, queue }: LoginRouteOptions) {
  return [
    defineRoute({
      method: 'post',
      path: '/api/users/login',
      operationId: 'login',
      tag: 'Sessions',
      summary: 'Sign in with username or email',
      description:
        'Unknown users and wrong passwords get the same response. After 10 failures within 15 minutes (defaults) the account is locked until that window ends (429), even for the correct password. Repeated locks last up to four times as long. A user has at most 50 sessions; one more revokes the one used least recently.',
      who: 'anyone',
      limit: 'login',
      timeLimit: 'password',
      body: loginBody,
      status: 200,
      response: loggedIn,
      errors: errorsOf.login,
      async handler({ body, caller }) {
        const { account, tokens } = await queue(() =>
          logIn(body.identifier, body.password, originOf(caller)),
        );
        return { message: 'Login successful', user: toUserResponse(account), tokens };
      },
    }),
  ];
}
