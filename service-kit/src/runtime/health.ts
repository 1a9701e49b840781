import type { RequestHandler } from 'express';

/** Resolves if the dependency can be used, rejects otherwise. */
export type ReadinessCheck = () => Promise<unknown>;

export interface HealthOptions {
  service: string;
  /** Without these the service cannot serve: 503. */
  required: Record<string, ReadinessCheck>;
  /** Without these it still serves, but more slowly: `degraded`, 200. */
  optional: Record<string, ReadinessCheck>;
  isStopping: () => boolean;
}

const CHECK_TIMEOUT = 1000;

/** `GET /health`: the process is alive. */
export function healthHandler(service: string): RequestHandler {
  return (_request, response) => {
    response.set('Cache-Control', 'no-store').json({ status: 'healthy', service });
  };
}

/** `GET /ready`: whether traffic may be sent here; 503 from the moment a stop signal arrives. */
export function readyHandler({ service, required, optional, isStopping }: HealthOptions): RequestHandler {
  return async (_request, response) => {
    const [needed, wanted] = await Promise.all([runChecks(required), runChecks(optional)]);
    const serves = !isStopping() && Object.values(needed).every((state) => state === 'ok');
    const complete = Object.values(wanted).every((state) => state === 'ok');
    const status = !serves ? 'unavailable' : complete ? 'ready' : 'degraded';
    response
      .status(serves ? 200 : 503)
      .set('Cache-Control', 'no-store')
      .json({ status, service, stopping: isStopping(), checks: { ...needed, ...wanted } });
  };
}

async function runChecks(checks: Record<string, ReadinessCheck>): Promise<Record<string, 'ok' | 'down'>> {
  const states = Object.entries(checks).map(async ([name, check]) => [name, await isUp(check)] as const);
  return Object.fromEntries(await Promise.all(states));
}

async function isUp(check: ReadinessCheck): Promise<'ok' | 'down'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'down'>((resolve) => {
    timer = setTimeout(resolve, CHECK_TIMEOUT, 'down');
  });
  const response = Promise.resolve()
    .then(check)
    .then(
      () => 'ok' as const,
      () => 'down' as const,
    );
  return Promise.race([response, late]).finally(() => clearTimeout(timer));
}
