import { join } from 'node:path';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { execa } from 'execa';
import type { Comparison } from '../../order-service/src/placement/compare.use-cases.ts';
import { build } from '../../scripts/lib/build.ts';
import { Failure } from '../../scripts/lib/failure.ts';
import { loadSecrets } from '../../scripts/lib/secrets.ts';
import { ROOT } from '../../scripts/lib/shop.ts';
import { stopSignal } from '../../scripts/lib/signals.ts';
import { currentRun } from '../../scripts/lib/start/run-file.ts';
import { say, warn } from '../../scripts/lib/terminal.ts';
import { advanceSequences, type Databases, endAllSessions } from './after-restore.ts';

export const HELP = `npm run restore -- reconcile   after one of the databases was restored from a backup, while the shop runs:
  gives back stock that is confirmed for orders that are lost, takes the stock of orders whose reservation is lost,
  moves sequences beyond ids that were given out before, and ends all sessions
  --dry-run           only reports what orders and stock do not agree about
  --keep-sessions     for a restore of other databases than user-service's
  --gap 100000        ids that may have been given out since the backup, for each kind

Environment (for a shop that was not started here)
  USER_DATABASE_URL, PRODUCT_DATABASE_URL, ORDER_DATABASE_URL, PRODUCT_SERVICE_URL, SERVICE_TOKEN_SECRET`;
/** Exit code if an operator has to decide about some orders. */
const DECISION_NEEDED = 2;

export async function main(args: string[]) {
  const { values, positionals } = readArguments(args);
  if (positionals[0] !== 'reconcile') {
    say(HELP);
    return 1;
  }
  const shop = await findShop();
  await build(stopSignal());
  if (!values['dry-run'])
    await repairIds(shop.databases, Number(values.gap), values['keep-sessions'] === true);
  const found = await compare(shop.environment, values['dry-run'] === true);
  say(`${found.orders} orders and ${found.reservations} reservations compared.`);
  const verb = values['dry-run'] ? 'would be' : 'were';
  say(`${found.released.length} reservations without an order ${verb} released.`);
  say(`${found.reserved.length} orders without a reservation ${verb} given their stock.`);
  if (found.short.length > 0) warn(`Orders whose units are sold to others: ${found.short.join(', ')}`);
  if (found.cancelledLater.length > 0)
    warn(
      `Orders whose stock was given back, so they were cancelled after the backup: ${found.cancelledLater.join(', ')}`,
    );
  return found.short.length + found.cancelledLater.length > 0 ? DECISION_NEEDED : 0;
}

function readArguments(args: string[]) {
  const options: ParseArgsConfig['options'] = {
    'dry-run': { type: 'boolean' },
    'keep-sessions': { type: 'boolean' },
    gap: { type: 'string', default: '100000' },
  };
  try {
    const parsed = parseArgs({ args, options, allowPositionals: true });
    if (/^\d{1,8}$/.test(String(parsed.values.gap))) return parsed;
  } catch {
    // The same text for both.
  }
  throw new Failure(`Invalid arguments: ${args.join(' ')}\n${HELP}`);
}

async function repairIds(databases: Databases, gap: number, keepSessions: boolean) {
  for (const { sequence, from, to } of await advanceSequences(databases, gap))
    say(`${sequence} goes on at ${to} instead of ${from}.`);
  if (keepSessions) return;
  say(`The sessions of ${await endAllSessions(databases['user-service'])} users were ended.`);
  warn(
    'Tokens of users who registered after the backup are valid until they expire, at most an hour: set a new ' +
      'JWT_SECRET_KEY or JWT_PRIVATE_KEY now, without the old one in JWT_VERIFICATION_KEYS, and restart all services.',
  );
}

async function compare(env: NodeJS.ProcessEnv, dryRun: boolean): Promise<Comparison> {
  const args = ['dist/compare.js', ...(dryRun ? ['--dry-run'] : [])];
  const options = { cwd: join(ROOT, 'order-service'), env, reject: false, maxBuffer: 1e9 };
  const { exitCode, stdout, stderr, shortMessage } = await execa(process.execPath, args, options);
  if (exitCode !== 0 && exitCode !== DECISION_NEEDED)
    throw new Failure(`Orders and stock cannot be compared.\n${stderr || shortMessage}`);
  return JSON.parse(stdout);
}

/** From the environment, else the shop that runs from this folder. */
async function findShop() {
  const run = await currentRun();
  const {
    USER_DATABASE_URL: user = run?.databases['user-service'],
    PRODUCT_DATABASE_URL: product = run?.databases['product-service'],
    ORDER_DATABASE_URL: order = run?.databases['order-service'],
    PRODUCT_SERVICE_URL: productUrl = run?.urls['product-service'],
  } = process.env;
  if (!user || !product || !order || !productUrl)
    throw new Failure(
      `The shop is not running here: start it with npm start, or set its addresses.\n\n${HELP}`,
    );
  const secrets = run && (await loadSecrets()).secrets;
  return {
    databases: { 'user-service': user, 'product-service': product, 'order-service': order },
    environment: {
      ...process.env,
      DATABASE_URL: order,
      PRODUCT_SERVICE_URL: productUrl,
      SERVICE_TOKEN_SECRET: process.env.SERVICE_TOKEN_SECRET || secrets?.serviceTokenSecret,
      // The command verifies no tokens of users.
      JWT_SECRET_KEY:
        process.env.JWT_SECRET_KEY || secrets?.jwtSecretKey || 'unused-by-this-command-but-of-good-length',
      JWKS_URL: '',
      NODE_ENV: 'development',
    },
  };
}
