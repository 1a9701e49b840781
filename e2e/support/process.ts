import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

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

/** A free port of 127.0.0.1. Test processes side by side begin in different places, unless their ids are a multiple of 400 apart. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.first + ((process.pid * PORTS.perProcess + portsTried++) % PORTS.count);
    if (await canListen(port)) return port;
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
