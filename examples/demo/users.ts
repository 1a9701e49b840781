import { Failure } from '../../scripts/lib/failure.ts';
import { callShop, reasonOfRefusal } from '../../scripts/lib/shop-client.ts';
import { say } from '../../scripts/lib/terminal.ts';

export type Credentials = { username: string; email: string; password: string };

export type SignedIn = { id: number; role: string; token: string };

/** Published credentials, for shops on a developer's machine only. */
export const DEMO_USERS = {
  buyer: demoUser('demo-buyer'),
  seller: demoUser('demo-seller'),
  admin: demoUser('demo-admin'),
} satisfies Record<string, Credentials>;

function demoUser(username: string) {
  return { username, email: `${username}@example.com`, password: `${username}-password` };
}

/**
 * Signs a user in, or registers an unknown one. In this order, because only a few registrations a minute are allowed.
 * @param users address of user-service
 */
export async function signIn(users: string, { username, email, password }: Credentials): Promise<SignedIn> {
  const login = await callShop({
    url: `${users}/api/users/login`,
    body: { username, password },
    onWait: sayWait,
  });
  const response =
    login.status === 401
      ? await callShop({
          url: `${users}/api/users/register`,
          body: { username, email, password },
          onWait: sayWait,
        })
      : login;
  const { user, tokens } = response.body;
  if (!user || !tokens)
    throw new Failure(`${username} cannot sign in with the demo password: ${reasonOfRefusal(response)}`);
  return { id: user.id, role: user.role, token: tokens.access_token };
}

export function sayWait(seconds: number) {
  say(`The shop asks for a pause of ${seconds} s …`);
}
