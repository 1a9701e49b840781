import { type DestinationStream, type Logger, pino } from 'pino';

/**
 * One JSON line per event. Whatever is logged by mistake under a secret's usual name is left out.
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
  return pino(options, destination ?? pino.destination({ sync: false, ...BUNDLES }));
}

/**
 * Lines are written beside the work and in bundles: one write for each took an eighth of the processor time of a cached
 * answer. A process that is killed loses a tenth of a second of them, one that ends by itself none.
 */
const BUNDLES = { minLength: 16_000, periodicFlush: 100 };

/** How long a reader of the log that has stopped reading may hold the end of a process, in milliseconds. */
const FLUSH_TIMEOUT = 2000;

/**
 * Waits until all that was logged is written. To be called before `process.exit`, which lets the last lines overtake
 * those that are being written.
 */
export async function flushLog(logger: Logger): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve) => {
    timer = setTimeout(resolve, FLUSH_TIMEOUT);
    logger.flush(() => resolve());
  });
  clearTimeout(timer);
}

/** Causes of causes that are still logged; errors may be their own cause. */
const MAX_CAUSES = 5;

/** Errors of drivers and clients carry requests, configs and rows; only what names the failure is logged. */
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
