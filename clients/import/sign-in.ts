import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { Failure } from '../../scripts/lib/failure.ts';
import { createShop, type Shop } from '../typescript/src/index.ts';
import { explained, patiently } from './calls.ts';

interface Addresses {
  userUrl: string;
  productUrl: string;
}

/** A client with SHOP_TOKEN, or signed in by a name and its password. */
export async function signIn(urls: Addresses, username: string | undefined, signal: AbortSignal) {
  const options = { ...urls, orderUrl: '', retry: { tries: 1 } };
  const token = process.env.SHOP_TOKEN;
  if (token) return createShop({ ...options, fetch: withToken(token) });
  if (!username) throw new Failure('No user: give --username, or set SHOP_TOKEN.');
  const password = process.env.SHOP_PASSWORD || (await askForPassword(username, signal));
  const shop: Shop = createShop(options);
  const login = patiently(() => shop.session.login({ username, password }, { signal }), [429, 503], signal);
  await explained(`${username} cannot sign in`, login);
  return shop;
}

/** The client itself has no session then, which it could renew. */
const withToken =
  (token: string): typeof fetch =>
  (url, init) =>
    fetch(url, { ...init, headers: { ...init?.headers, Authorization: `Bearer ${token}` } });

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
