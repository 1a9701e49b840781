import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../scripts/lib/failure.ts';
import { freePort } from '../../scripts/lib/ports.ts';
import {
  type Launched,
  launch,
  runInForeground,
  stop,
  untilResponding,
} from '../../scripts/lib/processes.ts';
import { ROOT } from '../../scripts/lib/shop.ts';
import { stopSignal } from '../../scripts/lib/signals.ts';
import { say } from '../../scripts/lib/terminal.ts';
import { compileGenerated } from './generators.ts';
import { startProxies } from './proxy.ts';
import { installTools } from './tools.ts';

export const HELP = `npm run contract                    compares docs/openapi.json with the shop, by tools that are not ours:
                                    openapi-typescript and @hey-api/openapi-ts generate clients, which compile
                                    under strict; Prism stands between the tests across services and the shop,
                                    and compares each request and response
npm run contract -- e2e/shop        some of the tests only
The first run installs the tools from the npm registry.`;
const DOCUMENT = join(ROOT, 'docs', 'openapi.json');
/** Those left out break connections, or send hundreds of requests at once. */
const TESTS = ['shop', 'http-files', 'redis-outage', 'revoked-sessions'].map((name) => `e2e/${name}.test.ts`);
const GRACE_MS = 30_000;
const READY_WITHIN_MS = 120_000;

export async function main(args: string[]) {
  // Jest ignores a pattern without a file.
  const missing = TESTS.filter((file) => !existsSync(join(ROOT, file)));
  if (missing.length > 0) throw new Error(`There is no ${missing.join(', ')}`);
  const signal = stopSignal();
  const folder = await installTools(signal);
  await compileGenerated(folder, DOCUMENT, signal);
  say('Both generated clients compile under strict.');
  const port = await freePort();
  const proxies = await startProxies(`http://127.0.0.1:${port}`);
  const prism = launch({
    command: join(folder, 'node_modules', '.bin', 'prism'),
    args: ['proxy', DOCUMENT, proxies.backUrl, '--errors', '--port', String(port), '-v', 'fatal'],
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  try {
    await untilReady(port, prism, signal);
    const code = await runInForeground({
      command: process.execPath,
      args: [
        'scripts/run.js',
        'scripts/commands/test.ts',
        '--runInBand',
        ...(args.length > 0 ? args : TESTS),
      ],
      cwd: ROOT,
      env: { ...process.env, SHOP_TEST_PROXY: proxies.frontUrl },
      signal,
      graceMs: GRACE_MS,
    });
    const { compared, refused, outside } = proxies.counts;
    for (const mismatch of proxies.mismatches) say(`Mismatch: ${mismatch}`);
    say(`Prism compared ${compared} requests and their responses: ${proxies.mismatches.length} mismatches.`);
    say(
      `It refused ${refused} requests that the shop refused too; ${outside} were not of the API, or got no response.`,
    );
    return proxies.mismatches.length === 0 && compared > 0 ? code : 1;
  } finally {
    proxies.close();
    await stop(prism, 'SIGTERM', GRACE_MS);
  }
}

async function untilReady(port: number, prism: Launched, signal: AbortSignal) {
  const responds = () => fetch(`http://127.0.0.1:${port}/`).then(Boolean, () => false);
  if (await untilResponding(prism, { limitMs: READY_WITHIN_MS, signal, responds })) return;
  throw new Failure(`Prism has ended, or does not respond within ${READY_WITHIN_MS / 1000} s.`);
}
