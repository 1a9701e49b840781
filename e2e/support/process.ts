import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A program that a test started, and may stop, pause or kill. */
export interface Started {
  readonly pid: number;
  /** What it printed so far, the last 200 kB of it. */
  output(): string;
  signal(name: NodeJS.Signals): void;
  hasEnded(): boolean;
  /** Waits for the end; null when a signal ended it. */
  ended(): Promise<number | null>;
  /** SIGTERM, and SIGKILL when that does not help within `limit` milliseconds. */
  stop(limit?: number): Promise<number | null>;
}

const KEPT_OUTPUT = 200_000;

interface StartOptions {
  cwd?: string;
  env?: Record<string, string>;
}

export function startProcess(command: string, args: string[], { cwd, env = {} }: StartOptions = {}): Started {
  const child: ChildProcess = spawn(command, args, {
    ...(cwd === undefined ? {} : { cwd }),
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  const keep = (chunk: Buffer) => {
    text += chunk.toString();
    // Not at every chunk: a service under load logs many, and would be measured with it.
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

/** Below the ports that systems give out themselves, so that a port is still free when a process is started again. */
const PORTS = { first: 10_000, count: 20_000, perProcess: 50 };
let portsTried = 0;

/** Who uses which port: a file for each, which holds the id of the process. */
const CLAIMS = join(tmpdir(), 'shop-test-ports');

/** A free port of 127.0.0.1, which no other test process gets while this one lives. */
export async function freePort(): Promise<number> {
  mkdirSync(CLAIMS, { recursive: true });
  for (;;) {
    const port = PORTS.first + ((process.pid * PORTS.perProcess + portsTried++) % PORTS.count);
    if (claim(join(CLAIMS, String(port))) && (await canListen(port))) return port;
  }
}

/** False while another living process has it. */
function claim(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    const owner = ownerOf(file);
    if (owner === process.pid) return true;
    if (isAlive(owner)) return false;
    // Of two that find the claim of a dead process, one makes the next claim.
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

/** Asks until it is true. @param limit milliseconds @throws Error naming what did not happen */
export async function until(what: string, condition: () => Promise<boolean>, limit = 100_000): Promise<void> {
  const end = Date.now() + limit;
  while (Date.now() < end) {
    if (await condition().catch(() => false)) return;
    await sleep(50);
  }
  throw new Error(`${what}: did not happen within ${limit} ms`);
}

export const sleep = (milliseconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
