import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Shop } from '../../clients/typescript/src/index.ts';
import { Failure } from '../../scripts/lib/failure.ts';
import { runTool } from '../../scripts/lib/processes.ts';
import { ROOT } from '../../scripts/lib/shop.ts';
import { currentRun } from '../../scripts/lib/start/run-file.ts';
import { paint, say, warn } from '../../scripts/lib/terminal.ts';
import { placeOrders } from './orders.ts';
import { DEMO_USERS, request, type SignedIn, signIn } from './users.ts';

export const HELP = `npm run seed   fill a running shop with 200 products, three users and orders in every status;
               running it again adds only what is missing

Environment (all optional)
  USER_SERVICE_URL, PRODUCT_SERVICE_URL, ORDER_SERVICE_URL
                      where the shop is (default: the one started here, else localhost)
  USER_DATABASE_URL   of user-service, to make the demo admin an admin (default: of the shop started here)`;
const CATALOGUE = new URL('./catalogue.csv', import.meta.url);

export async function main(args: string[]) {
  if (args.length > 0) throw new Failure(`Unknown argument: ${args[0]}\n\n${HELP}`);
  const { urls, usersDatabase } = await findShop();
  const [buyer, seller, admin] = await Promise.all([
    signIn(urls, DEMO_USERS.buyer),
    signIn(urls, DEMO_USERS.seller),
    signIn(urls, DEMO_USERS.admin),
  ]);
  const [hasAdmin] = await Promise.all([
    admin.role === 'admin' || makeAdmin(DEMO_USERS.admin.username, usersDatabase),
    fillShop(buyer, seller),
  ]);
  printUsers(hasAdmin);
  return 0;
}

async function fillShop(buyer: SignedIn, seller: SignedIn) {
  say(await importCatalogue(seller.shop));
  const productIds = await productIdsBySku(seller);
  const placed = await placeOrders(productIds, buyer.shop, seller.shop);
  say(placed > 0 ? `${placed} orders placed, in every status.` : 'The orders were there already.');
}

/** Addresses from the environment, else those of the shop that runs from this folder. */
async function findShop() {
  const run = await currentRun();
  const { USER_SERVICE_URL, PRODUCT_SERVICE_URL, ORDER_SERVICE_URL, USER_DATABASE_URL } = process.env;
  return {
    urls: {
      userUrl: USER_SERVICE_URL || run?.urls['user-service'] || 'http://localhost:5001',
      productUrl: PRODUCT_SERVICE_URL || run?.urls['product-service'] || 'http://localhost:5002',
      orderUrl: ORDER_SERVICE_URL || run?.urls['order-service'] || 'http://localhost:5003',
    },
    // The database of the running shop, only together with its user-service.
    usersDatabase: USER_DATABASE_URL || (USER_SERVICE_URL ? undefined : run?.databases['user-service']),
  };
}

/** @returns what was done */
async function importCatalogue({ products }: Shop): Promise<string> {
  const csv = await readFile(CATALOGUE, 'utf8');
  const refused = 'The demo catalogue is refused';
  const { created, updated, failed, errors } = await request(refused, () => products.import(csv));
  if (failed > 0) throw new Failure(`${refused}: ${errors.map(({ message }) => message).join(', ')}`);
  return created + updated > 0
    ? `${created} products created, ${updated} updated.`
    : 'The products were there already.';
}

const productIdsBySku = ({ id, shop }: SignedIn) =>
  request('The products cannot be listed', async () => {
    const ids = new Map<string, number>();
    for await (const product of shop.products.all({ owner_id: id })) ids.set(product.sku ?? '', product.id);
    return ids;
  });

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
