import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../scripts/lib/failure.ts';
import { runTool } from '../../scripts/lib/processes.ts';
import { ROOT } from '../../scripts/lib/shop.ts';
import { callShop, reasonOfRefusal } from '../../scripts/lib/shop-client.ts';
import { currentRun } from '../../scripts/lib/start/run-file.ts';
import { paint, say, warn } from '../../scripts/lib/terminal.ts';
import { placeOrders } from './orders.ts';
import { DEMO_USERS, type SignedIn, sayWait, signIn } from './users.ts';

export const HELP = `npm run seed   fill a running shop with 200 products, three users and orders in every status;
               running it again adds only what is missing

Environment (all optional)
  USER_SERVICE_URL, PRODUCT_SERVICE_URL, ORDER_SERVICE_URL
                      where the shop is (default: the one started here, else localhost)
  USER_DATABASE_URL   of user-service, to make the demo admin an admin (default: of the shop started here)`;
const CATALOGUE = new URL('./catalogue.csv', import.meta.url);

export async function main(args: string[]) {
  if (args.length > 0) throw new Failure(`Unknown argument: ${args[0]}\n\n${HELP}`);
  const { users, products, orders, usersDatabase } = await findShop();
  const [buyer, seller, admin] = await Promise.all(
    [DEMO_USERS.buyer, DEMO_USERS.seller, DEMO_USERS.admin].map((user) => signIn(users, user)),
  );
  if (!buyer || !seller || !admin) throw new Failure('A demo user is missing.');
  const [hasAdmin] = await Promise.all([
    admin.role === 'admin' || makeAdmin(DEMO_USERS.admin.username, usersDatabase),
    fillShop({ products, orders, buyer, seller }),
  ]);
  printUsers(hasAdmin);
  return 0;
}

async function fillShop({
  products,
  orders,
  buyer,
  seller,
}: {
  /** Address of product-service. */
  products: string;
  /** Address of order-service. */
  orders: string;
  buyer: SignedIn;
  seller: SignedIn;
}) {
  say(await importCatalogue(products, seller.token));
  const productIds = await productIdsBySku(products, seller.id);
  const placed = await placeOrders({ orders, productIds, buyer, seller });
  say(placed > 0 ? `${placed} orders placed, in every status.` : 'The orders were there already.');
}

/** Addresses from the environment, else those of the shop that runs from this folder. */
async function findShop() {
  const run = await currentRun();
  const { USER_SERVICE_URL, PRODUCT_SERVICE_URL, ORDER_SERVICE_URL, USER_DATABASE_URL } = process.env;
  return {
    users: USER_SERVICE_URL || run?.urls['user-service'] || 'http://localhost:5001',
    products: PRODUCT_SERVICE_URL || run?.urls['product-service'] || 'http://localhost:5002',
    orders: ORDER_SERVICE_URL || run?.urls['order-service'] || 'http://localhost:5003',
    // The database of the running shop, only together with its user-service.
    usersDatabase: USER_DATABASE_URL || (USER_SERVICE_URL ? undefined : run?.databases['user-service']),
  };
}

/**
 * @param products address of product-service
 * @param token of the seller
 * @returns what was done
 */
async function importCatalogue(products: string, token: string): Promise<string> {
  const response = await callShop({
    url: `${products}/api/products/import`,
    body: await readFile(CATALOGUE, 'utf8'),
    headers: { 'Content-Type': 'text/csv' },
    token,
    onWait: sayWait,
  });
  const { created = 0, updated = 0, failed } = response.body;
  if (response.status !== 200 || failed !== 0)
    throw new Failure(`The demo catalogue is refused: ${reasonOfRefusal(response)}`);
  return created + updated > 0
    ? `${created} products created, ${updated} updated.`
    : 'The products were there already.';
}

/** @param products address of product-service */
async function productIdsBySku(products: string, ownerId: number): Promise<Map<string, number>> {
  const ids = new Map();
  let cursor: string | null | undefined = '';
  while (typeof cursor === 'string') {
    const page = new URLSearchParams({
      owner_id: String(ownerId),
      per_page: '100',
      ...(cursor ? { cursor } : {}),
    });
    const response = await callShop({
      method: 'GET',
      url: `${products}/api/products?${page}`,
      onWait: sayWait,
    });
    if (!response.body.products)
      throw new Failure(`The products cannot be listed: ${reasonOfRefusal(response)}`);
    for (const { sku, id } of response.body.products) ids.set(sku, id);
    cursor = response.body.next_cursor;
  }
  return ids;
}

/** @returns false if no database is known */
async function makeAdmin(username: string, usersDatabase: string | undefined): Promise<boolean> {
  if (!usersDatabase) return false;
  await runTool({
    title: 'The demo admin could not be made an admin',
    command: process.execPath,
    args: [join('dist', 'admin.js'), username],
    cwd: join(ROOT, 'user-service'),
    env: { ...process.env, DATABASE_URL: usersDatabase },
  });
  return true;
}

function printUsers(hasAdmin: boolean) {
  say(`\n${paint('bold', 'Sign in as')}`);
  for (const [role, { username, password }] of Object.entries(DEMO_USERS))
    say(`  ${role.padEnd(8)} ${username.padEnd(12)} ${password}`);
  say('\nThese passwords are public: keep such a shop to yourself.');
  if (!hasAdmin)
    warn(`${DEMO_USERS.admin.username} is no admin yet: npm run admin -- ${DEMO_USERS.admin.username}`);
}
