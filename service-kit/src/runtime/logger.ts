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
    serializers: { err: safeError },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/** Errors of drivers and clients carry requests, configs and rows; only what names the failure is logged. */
function safeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: String(error) };
  const { code } = error as { code?: unknown };
  const cause = error.cause === undefined ? undefined : safeError(error.cause);
  return {
    type: error.name,
    message: error.message,
    stack: error.stack,
    ...(code === undefined ? {} : { code }),
    cause,
  };
}
