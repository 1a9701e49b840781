import { Failure } from '../failure.js';
import { callShop, reasonOfRefusal } from '../shop-client.js';
import { say } from '../terminal.js';

/**
 * @typedef {{ username: string, email: string, password: string }} Credentials
 * @typedef {{ id: number, role: string, token: string }} SignedIn token: an access token
 */

/** Published credentials, for shops on a developer's machine only. @satisfies {Record<string, Credentials>} */
export const DEMO_USERS = {
  buyer: demoUser('demo-buyer'),
  seller: demoUser('demo-seller'),
  admin: demoUser('demo-admin'),
};

/** @param {string} username */
function demoUser(username) {
  return { username, email: `${username}@example.com`, password: `${username}-password` };
}

/**
 * Signs a user in, or registers an unknown one. In this order, because only a few registrations a minute are allowed.
 * @param {string} users address of user-service
 * @param {Credentials} credentials
 * @returns {Promise<SignedIn>}
 */
export async function signIn(users, { username, email, password }) {
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

/** @param {number} seconds */
export function sayWait(seconds) {
  say(`The shop asks for a pause of ${seconds} s …`);
}
