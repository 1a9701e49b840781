import { parseArgs } from 'node:util';
import { Failure } from '../failure.js';

export const HELP = `npm run import -- <file> [--dry-run] [--username <name>] [--url <address>]

Sends a catalogue to a running shop: CSV, or NDJSON when the name ends in .ndjson or .jsonl. Products whose SKU is there
are updated, others are created. Exit code 1 when rows were refused.

  --dry-run          check everything and write nothing
  --username <name>  who imports (default: SHOP_USERNAME); the password is SHOP_PASSWORD, or asked for
  --url <address>    of product-service (default: the shop started here, else http://localhost:5002)
  --users <address>  of user-service (default: the shop started here, else http://localhost:5001)
  SHOP_TOKEN         an access token, instead of a name and a password`;

/**
 * @typedef {object} Options
 * @property {boolean} help
 * @property {string} file
 * @property {boolean} dryRun
 * @property {string | undefined} username
 * @property {string | undefined} url
 * @property {string | undefined} users
 */

/**
 * @param {string[]} args
 * @returns {Options}
 */
export function readOptions(args) {
  const { values, positionals } = parse(args);
  const [file = '', ...rest] = positionals;
  if (!values.help && (file === '' || rest.length > 0)) throw new Failure(`Name one file.\n\n${HELP}`);
  return {
    help: values.help ?? false,
    file,
    dryRun: values['dry-run'] ?? false,
    username: values.username ?? process.env.SHOP_USERNAME,
    url: values.url,
    users: values.users,
  };
}

/** @param {string[]} args */
function parse(args) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        help: { type: 'boolean' },
        'dry-run': { type: 'boolean' },
        username: { type: 'string' },
        url: { type: 'string' },
        users: { type: 'string' },
      },
    });
  } catch (error) {
    throw new Failure(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
  }
}
