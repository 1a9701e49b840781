import { Interrupted } from './failure.ts';

const PARENT_CHECK_MS = 1000;

/**
 * Aborts on Ctrl-C, SIGTERM, a closed terminal, and when the parent npm process has ended (a shell in between does not
 * always pass the signal on). Further signals are ignored, because the stop has its own time limits.
 */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const abort = () => controller.abort(new Interrupted());
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, abort);
  if (process.env.npm_lifecycle_event) {
    const parent = process.ppid;
    setInterval(() => process.ppid !== parent && abort(), PARENT_CHECK_MS).unref();
  }
  return controller.signal;
}
