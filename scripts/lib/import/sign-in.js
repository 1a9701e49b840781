import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { Failure } from '../failure.js';
import { callShop } from '../shop-client.js';
import { say } from '../terminal.js';

/**
 * SHOP_TOKEN, or a token for a name and its password.
 * @param {string} users address of user-service
 * @param {string | undefined} username
 * @param {AbortSignal} signal
 * @returns {Promise<string>}
 */
export async function accessToken(users, username, signal) {
  if (process.env.SHOP_TOKEN) return process.env.SHOP_TOKEN;
  if (!username) throw new Failure('Who imports? Give --username, or set SHOP_TOKEN.');
  const password = process.env.SHOP_PASSWORD || (await askForPassword(username, signal));
  const { status, body } = await callShop({
    url: `${users}/api/users/login`,
    body: { username, password },
    onWait: (seconds) => say(`The rate limit asks for a pause of ${seconds} s …`),
  });
  const token = body.tokens?.access_token;
  if (token === undefined)
    throw new Failure(`${username} cannot sign in: ${status} ${body.detail ?? 'no reason given'}`);
  return token;
}

/**
 * @param {string} username
 * @param {AbortSignal} signal
 */
async function askForPassword(username, signal) {
  if (!process.stdin.isTTY) throw new Failure('There is no password: set SHOP_PASSWORD.');
  process.stdout.write(`Password of ${username}: `);
  // Does not echo the input.
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output, terminal: true });
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    return await terminal.question('', { signal });
  } finally {
    terminal.close();
    process.stdout.write('\n');
  }
}
