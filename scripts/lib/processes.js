import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Failure, Interrupted } from './failure.js';

const OUTPUT_LIMIT = 200_000;
const TOOL_GRACE_MS = 3_000;
const ON_WINDOWS = process.platform === 'win32';

/**
 * @typedef {object} Exit
 * @property {number | null} code
 * @property {NodeJS.Signals | null} signal
 * @property {Error} [error] why it could not be started
 *
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
 * @property {Promise<Exit>} exited never rejects
 */

/**
 * Every child gets a process group of its own, so that Ctrl-C in a terminal reaches only us and the order of the
 * stop stays ours.
 * @param {Launch} launch
 * @returns {Launched}
 */
export function launch({ command, args, cwd, env, user, stdio }) {
  const child = spawn(command, args, {
    ...(cwd === undefined ? {} : { cwd }),
    env: env ?? process.env,
    ...(user ?? {}),
    stdio: stdio ?? 'ignore',
    detached: !ON_WINDOWS,
    windowsHide: true,
  });
  /** @type {Promise<Exit>} */
  const exited = new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, signal: null, error }));
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  return { pid: child.pid ?? 0, child, exited };
}

/**
 * @param {Launched} process
 * @param {NodeJS.Signals} signal
 * @param {number} deadlineMs then SIGKILL, to its whole group
 */
export async function stop({ pid, child, exited }, signal, deadlineMs) {
  if (pid === 0 || child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  const timer = setTimeout(() => killGroup(pid, 'SIGKILL'), deadlineMs);
  await exited;
  clearTimeout(timer);
}

/**
 * Runs a tool to its end and answers its output. Fails with `title` and that output; on abort the tool and its
 * children are ended first.
 * @param {Launch & { title: string, signal: AbortSignal }} tool
 * @returns {Promise<string>}
 */
export async function runTool({ title, signal, ...tool }) {
  signal.throwIfAborted();
  const { pid, child, exited } = launch({ ...tool, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const keep = (/** @type {Buffer} */ chunk) => {
    output = (output + chunk.toString('utf8')).slice(-OUTPUT_LIMIT);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const closed = new Promise((resolve) => child.once('close', resolve));

  const onAbort = () => killGroup(pid, 'SIGTERM');
  signal.addEventListener('abort', onAbort, { once: true });
  const killer = abortTimer(signal, () => killGroup(pid, 'SIGKILL'));
  const exit = await exited;
  if (!exit.error) await closed;
  killer.clear();
  signal.removeEventListener('abort', onAbort);

  if (signal.aborted) throw new Interrupted();
  if (exit.error) throw new Failure(`${title}: ${tool.command} cannot be started (${exit.error.message}).`);
  if (exit.code !== 0) throw new Failure(`${title}:\n${output.trim() || `ended with ${describe(exit)}`}`);
  return output;
}

/**
 * @param {AbortSignal} signal
 * @param {() => void} kill
 */
function abortTimer(signal, kill) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const arm = () => {
    timer = setTimeout(kill, TOOL_GRACE_MS);
  };
  signal.addEventListener('abort', arm, { once: true });
  return {
    clear() {
      clearTimeout(timer);
      signal.removeEventListener('abort', arm);
    },
  };
}

/**
 * @param {number} pid
 * @param {NodeJS.Signals} signal
 */
export function killGroup(pid, signal) {
  if (pid <= 0) return;
  try {
    process.kill(ON_WINDOWS ? pid : -pid, signal);
  } catch {
    // Already gone.
  }
}

/** @param {Exit} exit */
export function describe({ code, signal, error }) {
  if (error) return error.message;
  return signal ? `signal ${signal}` : `exit code ${code}`;
}

/**
 * Tells a process from a later one that got the same pid. Undefined when there is no such process.
 * @param {number} pid
 * @returns {string | undefined}
 */
export function processIdentity(pid) {
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  return process.platform === 'linux' ? linuxIdentity(pid) : otherIdentity(pid);
}

/** @param {number} pid */
function linuxIdentity(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // proc(5): the second field may hold spaces and brackets; after it state is field 3, starttime field 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot}/${fields[19]}`;
  } catch {
    return undefined;
  }
}

/** @param {number} pid */
function otherIdentity(pid) {
  try {
    process.kill(pid, 0);
  } catch {
    return undefined;
  }
  const ps = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' });
  return ps.stdout?.trim() || 'alive';
}

/** @param {number} ms */
export function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Ends a process that is not our child.
 * @param {number} pid
 * @param {NodeJS.Signals} signal
 * @param {number} deadlineMs then SIGKILL
 */
export async function endProcess(pid, signal, deadlineMs) {
  const identity = processIdentity(pid);
  const isAlive = () => identity !== undefined && processIdentity(pid) === identity;
  for (const [kind, patience] of /** @type {[NodeJS.Signals, number][]} */ ([
    [signal, deadlineMs],
    ['SIGKILL', TOOL_GRACE_MS],
  ])) {
    if (!isAlive()) return;
    process.kill(pid, kind);
    const deadline = Date.now() + patience;
    while (isAlive() && Date.now() < deadline) await sleep(50);
  }
}
