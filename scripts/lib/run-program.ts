import { build } from './build.ts';
import { runInForeground } from './processes.ts';
import { ROOT } from './shop.ts';
import { stopSignal } from './signals.ts';
import { createStack } from './stack.ts';
import { openServers } from './test/servers.ts';

interface Program {
  /** Path from the root. */
  program: string;
  args: string[];
  /** That it gets to stop. */
  graceMs: number;
  /** Of a PostgreSQL that is started for it, together with a Redis; without them it gets none. */
  settings?: string[];
  /** Defaults of its environment. */
  env?: NodeJS.ProcessEnv;
}

/**
 * Builds the services and runs a TypeScript program of this repository in the foreground.
 * @returns its exit code
 */
export async function runProgram({ program, args, graceMs, settings, env }: Program): Promise<number> {
  const signal = stopSignal();
  const stack = createStack();
  try {
    await build(signal);
    const servers = settings && (await openServers(stack, signal, settings));
    return await runInForeground({
      command: process.execPath,
      args: ['--conditions=@shop/source', '--import', 'tsx', program, ...args],
      cwd: ROOT,
      env: { ...env, ...process.env, ...servers },
      signal,
      graceMs,
    });
  } finally {
    await stack.unwind();
  }
}
