import { SERVICES } from '../shop.ts';
import { paint, say } from '../terminal.ts';

/** Prints the addresses, and four lines to paste one after the other. */
export function printBanner(urls: Record<string, string>) {
  const [user = '', product = '', order = ''] = SERVICES.map(({ name }) => urls[name]);
  say(`\n${paint('bold', 'The shop is open.')}`);
  for (const { name } of SERVICES) say(`  ${name.padEnd(16)} ${urls[name]}   ${urls[name]}/docs`);
  say('\nTry it, line by line:\n');
  for (const line of examples({ user, product, order })) say(line);
  say(
    `\nCtrl-C stops everything. Demo shop: npm run seed. Storefront: npm run storefront. All options: npm start -- --help\n`,
  );
}

function examples({ user, product, order }: { user: string; product: string; order: string }) {
  const json = "-H 'Content-Type: application/json'";
  const token = '-H "Authorization: Bearer $TOKEN"';
  const customer = `{"username":"ada'$N'","email":"ada'$N'@example.com","password":"correct horse"}`;
  return [
    `curl ${user}/health`,
    `N=$(date +%s); TOKEN=$(curl -s ${user}/api/users/register ${json} -d '${customer}' | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')`,
    `ID=$(curl -s ${product}/api/products ${token} ${json} -d '{"name":"Keyboard","price":49.90,"stock":10}' | sed 's/.*"id":\\([0-9]*\\).*/\\1/')`,
    `curl ${order}/api/orders ${token} ${json} -d '{"products":[{"product_id":'$ID',"quantity":2}]}'`,
  ];
}
