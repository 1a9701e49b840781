import { setTimeout as sleep } from 'node:timers/promises';
import type { RequestHandler } from 'express';
import type { Logger } from 'pino';

/** Resolves if the dependency can be used, rejects otherwise. */
type ReadinessCheck = () => Promise<unknown>;

export type Checks = Record<string, ReadinessCheck>;

interface HealthOptions {
  service: string;
  /** Without these the service cannot serve: 503. */
  required: Checks;
  /** Without these it still serves, but more slowly: `degraded`, 200. */
  optional: Checks;
  isStopping: () => boolean;
  logger: Logger;
}

const CHECK_TIMEOUT = 1000;

/** `GET /health`: the process is alive. */
export function healthHandler(service: string): RequestHandler {
  return (_request, response) => {
    response.set('Cache-Control', 'no-store').json({ status: 'healthy', service });
  };
}

/**
 * `GET /ready`: whether traffic may be sent here; 503 from the moment a stop signal arrives. Why a check fails is
 * in the log, once.
 */
export function readyHandler({
  service,
  required,
  optional,
  isStopping,
  logger,
}: HealthOptions): RequestHandler {
  const reasons = new Map<string, string>();
  const onResult = (check: string, reason: string | undefined) => {
    if (reason !== undefined && reasons.get(check) !== reason) logger.warn({ check, reason }, 'check failed');
    if (reason === undefined) reasons.delete(check);
    else reasons.set(check, reason);
  };
  return async (_request, response) => {
    const [needed, wanted] = await Promise.all([
      runChecks(required, onResult),
      runChecks(optional, onResult),
    ]);
    const serves = !isStopping() && Object.values(needed).every((state) => state === 'ok');
    const complete = Object.values(wanted).every((state) => state === 'ok');
    const status = !serves ? 'unavailable' : complete ? 'ready' : 'degraded';
    response
      .status(serves ? 200 : 503)
      .set('Cache-Control', 'no-store')
      .json({ status, service, stopping: isStopping(), checks: { ...needed, ...wanted } });
  };
}

type OnResult = (check: string, reason: string | undefined) => void;

/** Runs all at once; one that takes longer than a second is down. */
export async function runChecks(
  checks: Checks,
  onResult: OnResult = () => undefined,
): Promise<Record<string, 'ok' | 'down'>> {
  const states = Object.entries(checks).map(async ([name, check]) => {
    const reason = await failureOf(check);
    onResult(name, reason);
    return [name, reason === undefined ? 'ok' : 'down'] as const;
  });
  return Object.fromEntries(await Promise.all(states));
}

/** @returns why the dependency cannot be used, undefined if it can */
async function failureOf(check: ReadinessCheck): Promise<string | undefined> {
  const late = sleep(CHECK_TIMEOUT, `no result within ${CHECK_TIMEOUT} ms`, { ref: false });
  const result = Promise.resolve()
    .then(check)
    .then(
      () => undefined,
      ({ message, code }: NodeJS.ErrnoException) => message || code || 'unknown',
    );
  return Promise.race([result, late]);
}
