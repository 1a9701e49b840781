import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { Failure } from '../../scripts/lib/failure.ts';
import { callShop } from '../../scripts/lib/shop-client.ts';
import { say } from '../../scripts/lib/terminal.ts';

/**
 * SHOP_TOKEN, or a token for a name and its password.
 * @param users address of user-service
 */
export async function accessToken(
  users: string,
  username: string | undefined,
  signal: AbortSignal,
): Promise<string> {
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

async function askForPassword(username: string, signal: AbortSignal) {
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
