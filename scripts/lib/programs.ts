import { accessSync, constants } from 'node:fs';
import { userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { runTool } from './processes.ts';
import { step } from './terminal.ts';

/** Where Debian has servers; ordinary users do not have these folders on PATH. */
const SYSTEM = ['/usr/sbin', '/usr/local/sbin'];
/** Names of a program, the preferred one first. */
export const REDIS = ['redis-server', 'valkey-server'];
export const CHROMIUM = ['chromium', 'chromium-browser', 'google-chrome'];

/**
 * The path of a program of this machine, if it has one.
 * @param further folders, after those of PATH
 */
export function findProgram(name: string, further: string[] = []): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...SYSTEM, ...further];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

export const findOne = (names: string[]) => names.map((name) => findProgram(name)).find(Boolean);

function isExecutable(path: string) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Finds a program. As root on Debian and its relatives it is installed if it is missing.
 * @param debian name of the package
 * @throws Failure if the package cannot be installed
 */
export async function provideProgram(names: string[], signal: AbortSignal, debian = names[0] ?? '') {
  if (!findOne(names)) await installWithApt(debian, signal);
  return findOne(names);
}

async function installWithApt(name: string, signal: AbortSignal) {
  const command = findProgram('apt-get');
  if (!command || userInfo().uid !== 0) return;
  // The package would start a system service; in run level 1 Debian's invoke-rc.d leaves it stopped.
  const env = { ...process.env, RUNLEVEL: '1', DEBIAN_FRONTEND: 'noninteractive' };
  const run = (args: string[]) => runTool({ title: `apt-get ${args[0]} failed`, command, args, env, signal });
  await step(`Installing Debian's ${name}`, async () => {
    await run(['update']);
    await run(['install', '-y', '--no-install-recommends', name]);
  });
}
