import { join } from 'node:path';
import { Failure, reasonOf } from '../failure.ts';
import { type Launched, launch, runTool, untilResponding } from '../processes.ts';
import { ROOT, type ServiceName } from '../shop.ts';
import { printLogs } from './service-log.ts';

const READY_TIMEOUT_MS = 60_000;
const PROBE_TIMEOUT_MS = 2_000;
const BUILT = ['dist/server.js'];
const SOURCES = ['--conditions=@shop/source', '--import', 'tsx', 'src/server.ts'];
const WATCHED = ['--watch', '--watch-preserve-output', ...SOURCES];

export interface Service {
  name: ServiceName;
  url: string;
  env: NodeJS.ProcessEnv;
  /** Added to `env`. */
  migrationSettings?: NodeJS.ProcessEnv | undefined;
  /** From its sources, restarted when they change. */
  watch: boolean;
  signal: AbortSignal;
}

/** The service stops when the channel to this process closes, so that none is left when this process is killed. */
export function launchService({ name, env, watch }: Service) {
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

/** @returns its output */
export const migrate = ({ name, env, migrationSettings, signal }: Omit<Service, 'url' | 'watch'>) =>
  runTool({
    title: `The migrations of ${name} failed`,
    command: process.execPath,
    args: ['dist/migrate.js'],
    cwd: join(ROOT, name),
    env: { ...env, ...migrationSettings },
    signal,
  });

/**
 * Waits until GET /ready returns 200 and the service can check tokens. A service that ends meanwhile is not restarted,
 * because its configuration is wrong.
 */
export async function untilReady({ name, url, signal }: Service, launched: Launched) {
  let last = 'no response';
  const responds = async () => {
    last = await probe(`${url}/ready`);
    return last === '200';
  };
  if (await untilResponding(launched, { limitMs: READY_TIMEOUT_MS, signal, responds })) return;
  throw new Failure(
    launched.isRunning()
      ? `${name} is not ready after ${READY_TIMEOUT_MS / 1000} s: GET ${url}/ready returns ${last}.`
      : `${name} ended while it was starting (${await launched.exited}); its last lines say why.`,
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
