import { join } from 'node:path';
import { Failure } from '../../scripts/lib/failure.ts';
import { runInForeground, runTool } from '../../scripts/lib/processes.ts';
import { ROOT } from '../../scripts/lib/shop.ts';
import { stopSignal } from '../../scripts/lib/signals.ts';
import { currentRun } from '../../scripts/lib/start/run-file.ts';

export const HELP = `npm run storefront             the example storefront at http://localhost:3000, on the shop that runs here;
                               a change of its sources shows at once
npm run storefront -- --built  the same, built as it would be deployed

Environment (all optional)
  PORT   another port than 3000; set SHOP_URL of npm start to match, emails link there
  USER_SERVICE_URL, PRODUCT_SERVICE_URL, ORDER_SERVICE_URL
         where the shop is (default: the one started here, else localhost)
  OUT_DIR
         where the built files are (default: examples/storefront/dist)`;
const FOLDER = join(ROOT, 'examples', 'storefront');
const GRACE_MS = 3_000;

export async function main(args: string[]) {
  const unknown = args.find((arg) => arg !== '--built');
  if (unknown !== undefined) throw new Failure(`Unknown argument: ${unknown}\n\n${HELP}`);
  const signal = stopSignal();
  const urls = (await currentRun())?.urls;
  const env = {
    ...addressOf('USER_SERVICE_URL', urls?.['user-service']),
    ...addressOf('PRODUCT_SERVICE_URL', urls?.['product-service']),
    ...addressOf('ORDER_SERVICE_URL', urls?.['order-service']),
    ...process.env,
  };
  const command = join(ROOT, 'node_modules', '.bin', 'vite');
  const isBuilt = args.includes('--built');
  if (isBuilt)
    await runTool({
      title: 'The storefront cannot be built',
      command,
      args: ['build'],
      cwd: FOLDER,
      env,
      signal,
    });
  return runInForeground({
    command,
    args: isBuilt ? ['preview'] : [],
    cwd: FOLDER,
    env,
    signal,
    graceMs: GRACE_MS,
  });
}

const addressOf = (name: string, url: string | undefined) => (url ? { [name]: url } : {});
