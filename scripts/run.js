import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * Entry of every npm script: `node scripts/run.js <file of the command> [arguments]`. It needs nothing that npm has to install,
 * so that it can install everything else. A command exports `main`, which returns the exit code, and `HELP`, the text for
 * --help.
 */
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const STAMP = join(ROOT, 'node_modules', '.installed-for');
// `npm test -w order-service` passes its flags down in the environment; they would narrow our own npm ci.
const INHERITED_FLAGS = /^npm_config_(workspaces?|include_workspace_root|local_prefix|omit|production)$/i;

requireSupportedNode(process.versions.node);
installPackages();
// A reader that went away (npm start | head) must not leave servers running.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});
const [command = '', ...args] = process.argv.slice(2);
await import('./typescript.js');
const { explain, INTERRUPTED_BY_USER, Interrupted } = await import('./lib/failure.ts');
try {
  const { main, HELP } = await import(pathToFileURL(join(ROOT, command)).href);
  const asksForHelp = HELP !== undefined && args.some((arg) => arg === '--help' || arg === '-h');
  if (asksForHelp) console.log(HELP);
  process.exit(asksForHelp ? 0 : await main(args));
} catch (error) {
  if (error instanceof Interrupted) process.exit(INTERRUPTED_BY_USER);
  console.error(explain(error));
  process.exit(1);
}

/**
 * The same range as Prisma 7 (`engines` of the package prisma).
 * @param {string} version
 */
function requireSupportedNode(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if ((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major >= 24) return;
  console.error(`Node ${version} is too old: the shop needs Node 20.19, 22.12, 24 or newer.`);
  process.exit(1);
}

/** Runs `npm ci`, unless the packages of package-lock.json were installed for this platform already, by us or by hand. */
function installPackages() {
  const lock = join(ROOT, 'package-lock.json');
  const hash = createHash('sha256').update(readFileSync(lock)).digest('hex');
  const wanted = `${hash} ${process.platform}-${process.arch}\n`;
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) return;
  const installed = join(ROOT, 'node_modules', '.package-lock.json');
  const byHand = existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs;
  if (!byHand) runNpmCi();
  writeFileSync(STAMP, wanted);
}

function runNpmCi() {
  console.log('Installing dependencies …');
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !INHERITED_FLAGS.test(name)));
  const flags = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund'];
  const { status } = spawnSync('npm', flags, { cwd: ROOT, env, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) process.exit(status ?? 1);
}
