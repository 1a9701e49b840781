import type { ChildProcess, StdioOptions } from 'node:child_process';
import { execa } from 'execa';
import { Failure, Interrupted } from './failure.ts';

const TOOL_GRACE_MS = 3_000;

export interface Launch {
  command: string;
  args: string[];
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  user?: { uid: number; gid: number } | undefined;
  stdio?: StdioOptions;
}

export interface Launched {
  /** 0 when it could not be started. */
  pid: number;
  child: ChildProcess;
  /** How it ended, as a text; never rejects. */
  exited: Promise<string>;
  isRunning: () => boolean;
}

/** Each child gets its own process group: Ctrl-C in a terminal reaches only this process, which stops the others in order. */
export function launch({ command, args, cwd, env, user, stdio = 'ignore' }: Launch): Launched {
  const options = { ...user, ...(cwd && { cwd }), env: env ?? process.env, stdio, detached: true };
  const child = execa(command, args, {
    ...options,
    extendEnv: false,
    reject: false,
    cleanup: false,
    buffer: false,
  } as object);
  let running = true;
  const exited = child.then(({ exitCode, signal, code, message }) => {
    running = false;
    if (signal) return `signal ${signal}`;
    return exitCode === undefined ? (code ?? message ?? 'no exit code') : `exit code ${exitCode}`;
  });
  const native = child as unknown as ChildProcess;
  return { pid: child.pid ?? 0, child: native, exited, isRunning: () => running };
}

/** @param deadlineMs then SIGKILL, to its whole group */
export async function stop(
  { pid, child, exited, isRunning }: Launched,
  signal: NodeJS.Signals,
  deadlineMs: number,
) {
  if (pid === 0 || !isRunning()) return;
  child.kill(signal);
  const timer = setTimeout(() => killGroup(pid, 'SIGKILL'), deadlineMs);
  await exited;
  clearTimeout(timer);
}

export function killGroup(pid: number, signal: NodeJS.Signals) {
  try {
    if (pid > 0) process.kill(-pid, signal);
  } catch {
    // The process has ended already.
  }
}

/**
 * Runs a tool and returns its output. On abort the tool is stopped first.
 * @throws Failure with `title` and the output
 */
export async function runTool({
  title,
  signal,
  command,
  args,
  cwd,
  env,
  user,
}: Launch & { title: string; signal?: AbortSignal }): Promise<string> {
  const result = await execa(command, args, {
    ...user,
    ...(cwd && { cwd }),
    env: env ?? process.env,
    extendEnv: false,
    all: true,
    stdin: 'ignore',
    reject: false,
    ...(signal && { cancelSignal: signal }),
    forceKillAfterDelay: TOOL_GRACE_MS,
  } as object);
  if (result.isCanceled) throw new Interrupted();
  if (result.failed)
    throw new Failure(`${title}:\n${String(result.all ?? '').trim() || result.shortMessage}`);
  return String(result.all);
}

/**
 * Runs a program in the foreground with this terminal, and stops it in order on abort.
 * @returns its exit code
 * @throws Interrupted
 */
export async function runInForeground({
  signal,
  graceMs,
  ...program
}: Launch & { signal: AbortSignal; graceMs: number }): Promise<number> {
  const launched = launch({ ...program, stdio: ['ignore', 'inherit', 'inherit'] });
  const onAbort = () => void stop(launched, 'SIGTERM', graceMs);
  signal.addEventListener('abort', onAbort, { once: true });
  const end = await launched.exited;
  killGroup(launched.pid, 'SIGKILL');
  signal.throwIfAborted();
  return end === 'exit code 0' ? 0 : Number(/^exit code (\d+)$/.exec(end)?.[1] ?? 1);
}

export const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
