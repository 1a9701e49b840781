import { join } from 'node:path';
import { Failure, Interrupted, reasonOf } from '../failure.ts';
import { type Launched, launch, runTool, sleep } from '../processes.ts';
import { ROOT } from '../shop.ts';
import { printLogs } from './service-log.ts';

const READY_TIMEOUT_MS = 60_000;
const PROBE_TIMEOUT_MS = 2_000;
const BUILT = [join('dist', 'server.js')];
const WATCHED = [
  '--watch',
  '--watch-preserve-output',
  '--conditions=@shop/source',
  '--import',
  'tsx',
  join('src', 'server.ts'),
];

/**
 * The service stops when the channel to this process closes, so that none is left when this process is killed.
 * @param options watch: from its sources, restarted when they change
 */
export function launchService({
  name,
  env,
  watch,
}: {
  name: string;
  env: NodeJS.ProcessEnv;
  watch: boolean;
}) {
  const launched = launch({
    command: process.execPath,
    args: watch ? WATCHED : BUILT,
    cwd: join(ROOT, name),
    env,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  printLogs(name, launched.child);
  return launched;
}

export async function migrate({
  name,
  env,
  migrationSettings,
  signal,
}: {
  name: string;
  env: NodeJS.ProcessEnv;
  migrationSettings: NodeJS.ProcessEnv | undefined;
  signal: AbortSignal;
}) {
  await runTool({
    title: `The migrations of ${name} failed`,
    command: process.execPath,
    args: [join('dist', 'migrate.js')],
    cwd: join(ROOT, name),
    env: { ...env, ...migrationSettings },
    signal,
  });
}

/**
 * Waits until GET /ready returns 200 and the service can check tokens. A service that ends meanwhile is not restarted,
 * because its configuration is wrong.
 */
export async function untilReady({
  name,
  url,
  launched,
  signal,
}: {
  name: string;
  url: string;
  launched: Launched;
  signal: AbortSignal;
}) {
  let last = 'no response';
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (Date.now() < deadline) {
    if (signal.aborted) throw new Interrupted();
    if (!launched.isRunning())
      throw new Failure(
        `${name} ended while it was starting (${await launched.exited}); its last lines say why.`,
      );
    last = await probe(`${url}/ready`);
    if (last === '200') return;
    await sleep(100);
  }
  throw new Failure(
    `${name} is not ready after ${READY_TIMEOUT_MS / 1000} s: GET ${url}/ready returns ${last}.`,
  );
}

async function probe(url: string) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    const body = await response.text();
    const isReady = response.status === 200 && JSON.parse(body).checks?.account_changes !== 'down';
    return isReady ? '200' : `${response.status} ${body.slice(0, 300)}`;
  } catch (error) {
    return reasonOf(error);
  }
}
