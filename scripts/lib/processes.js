import { execa } from 'execa';
import { Failure, Interrupted } from './failure.js';

const TOOL_GRACE_MS = 3_000;

/**
 * @typedef {object} Launch
 * @property {string} command
 * @property {string[]} args
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env]
 * @property {{ uid: number, gid: number } | undefined} [user]
 * @property {import('node:child_process').StdioOptions} [stdio]
 *
 * @typedef {object} Launched
 * @property {number} pid 0 when it could not be started
 * @property {import('node:child_process').ChildProcess} child
 * @property {Promise<string>} exited how it ended, as a text; never rejects
 * @property {() => boolean} isRunning
 */

/**
 * Each child gets its own process group: Ctrl-C in a terminal reaches only this process, which stops the others in order.
 * @param {Launch} launch
 * @returns {Launched}
 */
export function launch({ command, args, cwd, env, user, stdio = 'ignore' }) {
  const options = { ...user, ...(cwd && { cwd }), env: env ?? process.env, stdio, detached: true };
  const child = execa(
    command,
    args,
    /** @type {{}} */ ({
      ...options,
      extendEnv: false,
      reject: false,
      cleanup: false,
      buffer: false,
    }),
  );
  let running = true;
  const exited = child.then(({ exitCode, signal, code, message }) => {
    running = false;
    if (signal) return `signal ${signal}`;
    return exitCode === undefined ? (code ?? message ?? 'no exit code') : `exit code ${exitCode}`;
  });
  const native = /** @type {import('node:child_process').ChildProcess} */ (/** @type {unknown} */ (child));
  return { pid: child.pid ?? 0, child: native, exited, isRunning: () => running };
}

/**
 * @param {Launched} launched
 * @param {NodeJS.Signals} signal
 * @param {number} deadlineMs then SIGKILL, to its whole group
 */
export async function stop({ pid, child, exited, isRunning }, signal, deadlineMs) {
  if (pid === 0 || !isRunning()) return;
  child.kill(signal);
  const timer = setTimeout(() => killGroup(pid, 'SIGKILL'), deadlineMs);
  await exited;
  clearTimeout(timer);
}

/**
 * @param {number} pid
 * @param {NodeJS.Signals} signal
 */
export function killGroup(pid, signal) {
  try {
    if (pid > 0) process.kill(-pid, signal);
  } catch {
    // The process has ended already.
  }
}

/**
 * Runs a tool and returns its output. On abort the tool is stopped first.
 * @param {Launch & { title: string, signal?: AbortSignal }} tool
 * @returns {Promise<string>}
 * @throws Failure with `title` and the output
 */
export async function runTool({ title, signal, command, args, cwd, env, user }) {
  const result = await execa(
    command,
    args,
    /** @type {{}} */ ({
      ...user,
      ...(cwd && { cwd }),
      env: env ?? process.env,
      extendEnv: false,
      all: true,
      stdin: 'ignore',
      reject: false,
      ...(signal && { cancelSignal: signal }),
      forceKillAfterDelay: TOOL_GRACE_MS,
    }),
  );
  if (result.isCanceled) throw new Interrupted();
  if (result.failed)
    throw new Failure(`${title}:\n${String(result.all ?? '').trim() || result.shortMessage}`);
  return String(result.all);
}

/**
 * Runs a program in the foreground with this terminal, and stops it in order on abort.
 * @param {Launch & { signal: AbortSignal, graceMs: number }} program
 * @returns {Promise<number>} its exit code
 * @throws Interrupted
 */
export async function runInForeground({ signal, graceMs, ...program }) {
  const launched = launch({ ...program, stdio: ['ignore', 'inherit', 'inherit'] });
  const onAbort = () => void stop(launched, 'SIGTERM', graceMs);
  signal.addEventListener('abort', onAbort, { once: true });
  const end = await launched.exited;
  killGroup(launched.pid, 'SIGKILL');
  signal.throwIfAborted();
  return end === 'exit code 0' ? 0 : Number(/^exit code (\d+)$/.exec(end)?.[1] ?? 1);
}

/** @param {number} ms */
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
