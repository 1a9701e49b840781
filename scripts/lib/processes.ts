import type { ChildProcess, StdioOptions } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { Failure, Interrupted } from './failure.ts';

const TOOL_GRACE_MS = 3_000;
const POLL_MS = 50;

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

/** Process groups of what was launched: it ends with this process, whatever ends that. */
const groups = new Set<number>();
process.on('exit', () => {
  for (const pid of groups) killGroup(pid, 'SIGKILL');
});

const optionsOf = ({ cwd, env, user }: Launch) => ({
  ...user,
  ...(cwd && { cwd }),
  env: env ?? process.env,
  extendEnv: false,
  reject: false as const,
});

/** Each child gets its own process group: Ctrl-C in a terminal reaches only this process, which stops the others in order. */
export function launch({ stdio = 'ignore', ...program }: Launch): Launched {
  const options = { ...optionsOf(program), stdio, detached: true, cleanup: false, buffer: false };
  const child = execa(program.command, program.args, options as object);
  const { pid = 0 } = child;
  let running = true;
  groups.add(pid);
  const exited = child.then(({ exitCode, signal, code, message }) => {
    running = false;
    groups.delete(pid);
    if (signal) return `signal ${signal}`;
    return exitCode === undefined ? (code ?? message ?? 'no exit code') : `exit code ${exitCode}`;
  });
  const native = child as unknown as ChildProcess;
  return { pid, child: native, exited, isRunning: () => running };
}

/** @param deadlineMs then SIGKILL, to its whole group */
export async function stop(launched: Launched, signal: NodeJS.Signals, deadlineMs: number) {
  const { pid, child, exited, isRunning } = launched;
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

interface Wait {
  limitMs: number;
  signal: AbortSignal;
  responds: () => Promise<boolean>;
}

/** Polls a program that was just launched. @returns false if it has ended, or does not respond in time @throws Interrupted */
export async function untilResponding({ isRunning }: Launched, { limitMs, signal, responds }: Wait) {
  for (const end = Date.now() + limitMs; isRunning() && Date.now() < end; await sleep(POLL_MS)) {
    signal.throwIfAborted();
    if (await responds()) return true;
  }
  return false;
}

interface Tool extends Launch {
  title: string;
  signal?: AbortSignal;
}

/**
 * Runs a tool and returns its output. On abort the tool is stopped first.
 * @throws Failure with `title` and the output
 */
export async function runTool({ title, signal, ...tool }: Tool): Promise<string> {
  const cancel = { ...(signal && { cancelSignal: signal }), forceKillAfterDelay: TOOL_GRACE_MS };
  const options = { ...optionsOf(tool), ...cancel, all: true, stdin: 'ignore' };
  const result = await execa(tool.command, tool.args, options as object);
  if (result.isCanceled) throw new Interrupted();
  if (result.failed)
    throw new Failure(`${title}:\n${String(result.all ?? '').trim() || result.shortMessage}`);
  return String(result.all);
}

interface Program extends Launch {
  signal: AbortSignal;
  /** That it gets to stop. */
  graceMs: number;
}

/**
 * Runs a program in the foreground with this terminal, and stops it in order on abort.
 * @returns its exit code
 * @throws Interrupted
 */
export async function runInForeground({ signal, graceMs, ...program }: Program): Promise<number> {
  const launched = launch({ ...program, stdio: ['ignore', 'inherit', 'inherit'] });
  const onAbort = () => void stop(launched, 'SIGTERM', graceMs);
  signal.addEventListener('abort', onAbort, { once: true });
  const end = await launched.exited;
  killGroup(launched.pid, 'SIGKILL');
  signal.throwIfAborted();
  return end === 'exit code 0' ? 0 : Number(/^exit code (\d+)$/.exec(end)?.[1] ?? 1);
}
