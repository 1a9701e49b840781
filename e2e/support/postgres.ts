import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { removeData } from '../../scripts/lib/postgres/data-folder.ts';
import { startEmbeddedPostgres, stopPostgres, superuserUrl } from '../../scripts/lib/postgres/server.ts';
import { sleep, until } from './process.ts';

/** A PostgreSQL server for one test, which may kill, pause and restart it with the same port and data. */
export interface OwnPostgres {
  readonly url: string;
  /** kill -9 of the server and every process of it. */
  kill(): Promise<void>;
  /** kill -9 of one connection's process: the server ends all connections and recovers by itself. */
  crash(): void;
  start(): Promise<void>;
  pause(): void;
  resume(): void;
  close(): Promise<void>;
}

/**
 * Only processes are killed here, never the machine: the kernel keeps every written page, so nothing has to be flushed to
 * disk. But a commit must have left the process (synchronous_commit), and a kill may interrupt writing a page
 * (full_page_writes).
 */
const SETTINGS = [
  'fsync=off',
  'synchronous_commit=on',
  'full_page_writes=on',
  'max_connections=80',
  'shared_buffers=32MB',
];
const PASSWORD = 'of-the-tests';

export async function startOwnPostgres(): Promise<OwnPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'shop-postgres-'));
  await chmod(folder, 0o711);
  const data = join(folder, 'data');
  const { launched, port, relaunch } = await startEmbeddedPostgres({
    path: data,
    logFile: join(folder, 'postgres.log'),
    password: PASSWORD,
    settings: SETTINGS,
    signal: new AbortController().signal,
  });
  let server = launched;
  const url = superuserUrl(PASSWORD, port);
  const signalAll = (name: NodeJS.Signals, pids: number[]) => {
    for (const pid of pids) signal(pid, name);
  };
  /** Signals the server first, so that it starts no further process. */
  const freeze = () => {
    signal(server.pid, 'SIGSTOP');
    const pids = [server.pid, ...childrenOf(server.pid)];
    signalAll('SIGSTOP', pids);
    return pids;
  };
  return {
    url,
    async kill() {
      const pids = freeze();
      signalAll('SIGKILL', pids);
      await server.exited;
      await until('postgres is gone', async () => pids.every(hasEnded), 10_000);
    },
    crash() {
      const connected = childrenOf(server.pid).at(-1);
      if (connected !== undefined) signal(connected, 'SIGKILL');
    },
    async start() {
      server = relaunch();
      await untilReady(url);
    },
    pause: () => void freeze(),
    resume: () => signalAll('SIGCONT', [...childrenOf(server.pid), server.pid]),
    async close() {
      signalAll('SIGCONT', [...childrenOf(server.pid), server.pid]);
      await stopPostgres(server);
      await removeData(data);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function signal(pid: number, name: NodeJS.Signals) {
  try {
    process.kill(pid, name);
  } catch {
    // The process has ended meanwhile.
  }
}

/** True also for a zombie process. */
function hasEnded(pid: number): boolean {
  try {
    return /^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return true;
  }
}

/** The child processes of the server, each in its own process group; the newest last. */
function childrenOf(pid: number): number[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  return stdout
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([child, parent]) => (parent === pid && child !== undefined ? [child] : []));
}

async function untilReady(url: string): Promise<void> {
  for (let attempt = 0; attempt < 1500; attempt++) {
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 2000 });
    client.on('error', () => undefined);
    const answered = await client
      .connect()
      .then(() => client.query('SELECT 1'))
      .catch(() => undefined);
    await client.end().catch(() => undefined);
    if (answered !== undefined) return;
    await sleep(20);
  }
  throw new Error('postgres does not respond again');
}
