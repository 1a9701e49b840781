import { parseArgs } from 'node:util';
import { Failure } from '../../scripts/lib/failure.ts';
import { FIELDS, SHOPS } from './shops.ts';

export const HELP = `npm run import -- <file> [--from <shop>] [--map <field>=<column> …] [--dry-run] [--username <name>] [--url <address>]

Sends a catalogue to a running shop: CSV, or NDJSON when the name ends in .ndjson or .jsonl. Products whose SKU is there
are updated, others are created. Exit code 1 when rows were refused.

  --from <shop>      an export of shopify, woocommerce or magento: one product for each variant, with its regular
                     price, its first picture and the last step of its first category; an empty stock counts as 0
  --map name=Title   which column of another CSV file is the name, and so for sku, description, price, stock, category
                     and image_url; columns that have these names need none, all others are ignored
  --dry-run          check everything and write nothing
  --set-stock        set the stock of products that are there; otherwise they keep theirs
  --ignore-unknown   ignore columns that products do not have; otherwise their rows are refused
  --username <name>  who imports (default: SHOP_USERNAME); the password is SHOP_PASSWORD, or asked for
  --url <address>    of product-service (default: the shop started here, else http://localhost:5002)
  --users <address>  of user-service (default: the shop started here, else http://localhost:5001)
  SHOP_TOKEN         an access token, instead of a name and a password`;

export type Options = ReturnType<typeof readOptions>;

export function readOptions(args: string[]) {
  const { values, positionals } = parse(args);
  const { from, map, username = process.env.SHOP_USERNAME, url, users } = values;
  const [file = '', ...rest] = positionals;
  if (file === '' || rest.length > 0) throw new Failure(`Name one file.\n\n${HELP}`);
  if (from && map) throw new Failure('Give --from or --map, not both.');
  return {
    ...{ file, from: shopOf(from), username, url, users },
    /** Field to column. */
    map: mapOf(map ?? []),
    dryRun: values['dry-run'] ?? false,
    setStock: values['set-stock'] ?? false,
    ignoreUnknown: values['ignore-unknown'] ?? false,
  };
}

function shopOf(name: string | undefined) {
  if (name === undefined || Object.hasOwn(SHOPS, name)) return name;
  throw new Failure(`--from knows ${Object.keys(SHOPS).join(', ')}.`);
}

function mapOf(pairs: string[]): Record<string, string> {
  const entries = pairs.map((pair) => {
    const [field = '', ...column] = pair.split('=');
    if (!FIELDS.includes(field) || column.join('=') === '')
      throw new Failure(`--map ${pair}: write <field>=<column>; fields are ${FIELDS.join(', ')}.`);
    return [field, column.join('=').trim()];
  });
  return Object.fromEntries(entries);
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        from: { type: 'string' },
        map: { type: 'string', multiple: true },
        'dry-run': { type: 'boolean' },
        'set-stock': { type: 'boolean' },
        'ignore-unknown': { type: 'boolean' },
        username: { type: 'string' },
        url: { type: 'string' },
        users: { type: 'string' },
      },
    });
  } catch (error) {
    throw new Failure(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
  }
}
