import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A program started by a test, which may stop, pause or kill it. */
export interface Started {
  readonly pid: number;
  /** Its output so far, up to the last 200 kB. */
  output(): string;
  signal(name: NodeJS.Signals): void;
  hasEnded(): boolean;
  /** Resolves with the exit code; null if a signal ended it. */
  ended(): Promise<number | null>;
  /** Sends SIGTERM, and SIGKILL if it has not ended within `limit` milliseconds. */
  stop(limit?: number): Promise<number | null>;
}

const KEPT_OUTPUT = 200_000;

interface StartOptions {
  cwd?: string;
  env?: Record<string, string>;
}

const NODE = new Set(['node', process.execPath]);

/** A service also stops when the channel to this process closes, so that none is left when this process is killed. */
export function startProcess(command: string, args: string[], { cwd, env = {} }: StartOptions = {}): Started {
  const child: ChildProcess = spawn(command, args, {
    ...(cwd === undefined ? {} : { cwd }),
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe', NODE.has(command) ? 'ipc' : 'ignore'],
  });
  let text = '';
  const keep = (chunk: Buffer) => {
    text += chunk.toString();
    // Not at every chunk: a service under load logs many, and this would distort measurements.
    if (text.length > 2 * KEPT_OUTPUT) text = text.slice(-KEPT_OUTPUT);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const end = once(child, 'exit').then(([code]) => code as number | null);
  const running = () => child.exitCode === null && child.signalCode === null;
  const signal = (name: NodeJS.Signals) => {
    if (running()) child.kill(name);
  };
  return {
    pid: child.pid ?? -1,
    output: () => text.slice(-KEPT_OUTPUT),
    signal,
    hasEnded: () => !running(),
    ended: () => end,
    async stop(limit = 15_000) {
      signal('SIGCONT');
      signal('SIGTERM');
      const timer = setTimeout(() => signal('SIGKILL'), limit);
      const code = await end;
      clearTimeout(timer);
      return code;
    },
  };
}

/** Below the ephemeral ports, so that a port is still free when a process is restarted. */
const PORTS = { first: 10_000, count: 20_000, perProcess: 50 };
let portsTried = 0;

/** One file per used port, with the id of the process that claims it. */
const CLAIMS = join(tmpdir(), 'shop-test-ports');

/** A free port of 127.0.0.1 that no other test process gets while this one is running. */
export async function freePort(): Promise<number> {
  mkdirSync(CLAIMS, { recursive: true });
  for (;;) {
    const port = PORTS.first + ((process.pid * PORTS.perProcess + portsTried++) % PORTS.count);
    if (claim(join(CLAIMS, String(port))) && (await canListen(port))) return port;
  }
}

/** Returns false while another running process has claimed the port. */
function claim(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    const owner = ownerOf(file);
    if (owner === process.pid) return true;
    if (isAlive(owner)) return false;
    // If two processes find the claim of an ended one, only one of them succeeds.
    rmSync(file, { force: true });
    return claim(file);
  }
}

function ownerOf(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return Number.NaN;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Polls until the condition is true. @param limit milliseconds @throws Error with `what` after this time */
export async function until(what: string, condition: () => Promise<boolean>, limit = 300_000): Promise<void> {
  const end = Date.now() + limit;
  while (Date.now() < end) {
    if (await condition().catch(() => false)) return;
    await sleep(50);
  }
  throw new Error(`${what}: did not happen within ${limit} ms`);
}

export const sleep = (milliseconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
