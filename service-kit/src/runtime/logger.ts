import { setTimeout as sleep } from 'node:timers/promises';
import { type DestinationStream, type Logger, pino } from 'pino';

/**
 * One JSON line per event. Values logged by mistake under the usual name of a secret are removed.
 * @param level pino's level names, or `silent`
 */
export function createLogger(service: string, level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: [
        'password',
        'token',
        'authorization',
        'secret',
        '*.password',
        '*.token',
        '*.authorization',
        '*.secret',
      ],
      remove: true,
    },
    serializers: { err: (error: unknown) => safeError(error) },
  };
  return pino(options, destination ?? openOutput());
}

/**
 * Lines are written asynchronously and in batches: one write per line took an eighth of the processor time of a cached
 * response. A killed process loses up to a tenth of a second of lines, one that exits normally none.
 */
const BUNDLES = { minLength: 16_000, periodicFlush: 100 };
/** The most that waits in memory while nothing can be written, in bytes; further lines are lost. */
const MOST_WAITING = 5_000_000;

/** Standard output. While nothing can be written there, as on a full disk, the service goes on without a log. */
function openOutput() {
  const output = pino.destination({ sync: false, ...BUNDLES, maxLength: MOST_WAITING });
  const { flushSync } = output;
  // pino calls it at the exit, which would wait until it succeeds.
  output.on('error', () => {
    output.flushSync = () => undefined;
  });
  output.on('write', () => {
    output.flushSync = flushSync;
  });
  return output;
}

/** How long a log reader that has stopped reading may delay the exit of the process, in milliseconds. */
const FLUSH_TIMEOUT = 2000;

/**
 * Waits until everything logged has been written. Call it before `process.exit`, which would otherwise let the last lines
 * overtake those being written.
 */
export async function flushLog(logger: Logger): Promise<void> {
  const flushed = new Promise<void>((resolve) => logger.flush(() => resolve()));
  await Promise.race([flushed, sleep(FLUSH_TIMEOUT, undefined, { ref: false })]);
}

/** How many nested causes are logged; an error may be its own cause. */
const MAX_CAUSES = 5;

/** Errors of drivers and clients carry requests, configs and rows, so only the fields that identify the failure are logged. */
function safeError(error: unknown, depth = 0): unknown {
  if (typeof error !== 'object' || error === null) return { message: String(error) };
  const { name, message, stack, code, cause } = error as Partial<NodeJS.ErrnoException>;
  return {
    type: name,
    message,
    stack,
    ...(code === undefined ? {} : { code }),
    ...(cause === undefined || depth >= MAX_CAUSES ? {} : { cause: safeError(cause, depth + 1) }),
  };
}
