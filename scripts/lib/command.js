import { explain } from './failure.js';

/**
 * Entry of every script. The command is imported only after the check, so that an old Node gets a sentence
 * instead of a syntax error. `main` answers the exit code.
 *
 * @param {() => Promise<{ main: (args: string[]) => Promise<number> }>} load
 */
export function runCommand(load) {
  if (!isSupportedNode(process.versions.node)) {
    console.error(`Node ${process.versions.node} is too old: the shop needs Node 20.19, 22.12, 24 or newer.`);
    process.exit(1);
  }
  // A reader that went away (npm start | head) is no reason to leave servers behind.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  load()
    .then(({ main }) => main(process.argv.slice(2)))
    .then((code) => process.exit(code))
    .catch((error) => {
      console.error(explain(error));
      process.exit(1);
    });
}

/**
 * The same range as Prisma 7 (`engines` of the package prisma).
 * @param {string} version
 */
function isSupportedNode(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major === 20) return minor >= 19;
  if (major === 22) return minor >= 12;
  return major >= 24;
}
