import { Failure } from '../lib/failure.js';
import { catalogue } from '../lib/seed-catalogue.js';
import { post } from '../lib/shop-client.js';
import { currentRun } from '../lib/start/run-file.js';
import { say } from '../lib/terminal.js';

const HELP = `npm run seed   fill a running shop with a demo catalogue; running it again adds only what is missing

Environment (all optional)
  USER_SERVICE_URL, PRODUCT_SERVICE_URL   where the shop is (default: the one started here, else localhost)
  SEED_USERNAME, SEED_EMAIL, SEED_PASSWORD   the seller (default: demo-seller)`;
const PROGRESS_EVERY = 10;

/** @param {string[]} args */
export async function main(args) {
  if (args.includes('--help')) {
    say(HELP);
    return 0;
  }
  if (args.length > 0) throw new Failure(`Unknown argument: ${args[0]}\n\n${HELP}`);
  const urls = (await currentRun())?.urls ?? {};
  const users = process.env.USER_SERVICE_URL || urls['user-service'] || 'http://localhost:5001';
  const products = process.env.PRODUCT_SERVICE_URL || urls['product-service'] || 'http://localhost:5002';

  const token = await signIn(users);
  const { created, present } = await createProducts(products, token);
  say(`${created} products created, ${present} were there already.`);
  return 0;
}

/** @param {number} seconds */
function sayWait(seconds) {
  say(`The rate limit asks for a pause of ${seconds} s …`);
}

/**
 * Registers the demo seller, or signs it in when it exists.
 * @param {string} users
 * @returns {Promise<string>} an access token
 */
async function signIn(users) {
  const username = process.env.SEED_USERNAME || 'demo-seller';
  const email = process.env.SEED_EMAIL || 'demo-seller@example.com';
  const password = process.env.SEED_PASSWORD || 'demo-seller-password';
  const registered = await post({
    url: `${users}/api/users/register`,
    body: { username, email, password },
    onWait: sayWait,
  });
  const answer =
    registered.status === 409
      ? await post({ url: `${users}/api/users/login`, body: { username, password }, onWait: sayWait })
      : registered;
  const token = answer.body?.tokens?.access_token;
  if (typeof token !== 'string') {
    throw new Failure(
      `The seller ${username} cannot sign in: ${reason(answer)} (SEED_PASSWORD sets its password).`,
    );
  }
  say(`Selling as ${username}.`);
  return token;
}

/**
 * @param {string} products
 * @param {string} token
 */
async function createProducts(products, token) {
  const all = catalogue();
  let created = 0;
  let present = 0;
  for (const [index, product] of all.entries()) {
    const answer = await post({ url: `${products}/api/products`, body: product, token, onWait: sayWait });
    if (answer.status === 201) created++;
    else if (answer.status === 409 && answer.body?.code === 'sku_taken') present++;
    else throw new Failure(`${product.sku} (${product.name}) is refused: ${reason(answer)}`);
    const done = index + 1;
    if (done % PROGRESS_EVERY === 0 || done === all.length) say(`${done} of ${all.length} products`);
  }
  return { created, present };
}

/** @param {import('../lib/shop-client.js').Answer} answer */
function reason({ status, body }) {
  const texts = Array.isArray(body?.errors)
    ? body.errors.join(', ')
    : (body?.detail ?? body?.error ?? 'no reason given');
  return `${status} ${texts}`;
}
