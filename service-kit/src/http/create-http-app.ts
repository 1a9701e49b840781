import cors from 'cors';
import express, { type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import { RouteNotFound } from '../errors/http-errors.ts';
import type { RedisConnection } from '../redis/connect.ts';
import type { Revocations } from '../redis/revocations.ts';
import { type HealthOptions, healthHandler, readyHandler } from '../runtime/health.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { AccessTokenVerifier } from '../tokens/access-token.ts';
import type { ServiceTokenVerifier } from '../tokens/service-token.ts';
import { createAuthenticator } from './authenticate.ts';
import type { Route } from './define-route.ts';
import { MACHINE_PAGES, mountMachinePages } from './machine-pages.ts';
import { mountRoutes, refuseOtherMethods } from './mount-routes.ts';
import { answerProblem } from './problem.ts';
import { createRateLimits, type Limits } from './rate-limit.ts';
import { contextOf, type RequestContext } from './request-context.ts';
import { requestIdFrom } from './request-id.ts';
import { cutUnreadBody } from './unread-body.ts';

export interface HttpAppOptions {
  service: string;
  /** One sentence for the API document. */
  description: string;
  routes: Route[];
  config: { CORS_ORIGINS: string; TRUST_PROXY: number; RATE_LIMIT_ENABLED: boolean; limits: Limits };
  logger: Logger;
  metrics: Metrics;
  redis: RedisConnection | undefined;
  accessTokens: AccessTokenVerifier;
  serviceTokens?: ServiceTokenVerifier;
  revocations: Revocations;
  health: Omit<HealthOptions, 'service'>;
}

const ALLOWED_HEADERS = [
  'Authorization',
  'Content-Type',
  'Idempotency-Key',
  'If-Match',
  'If-None-Match',
  'X-Request-Id',
];
const EXPOSED_HEADERS = [
  'ETag',
  'X-Request-Id',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'Idempotent-Replayed',
  'Location',
  'Cache-Status',
  'Content-Disposition',
];
/** How long a browser may remember a preflight answer, in seconds. */
const PREFLIGHT_LIFETIME = 600;

/** The whole HTTP side of a service, from its route declarations. No I/O of its own. */
export function createHttpApp(options: HttpAppOptions): Express {
  const {
    service,
    routes,
    config,
    logger,
    metrics,
    redis,
    accessTokens,
    serviceTokens,
    revocations,
    health,
  } = options;
  const app = express();
  app
    .disable('x-powered-by')
    .disable('etag')
    .set('trust proxy', config.TRUST_PROXY)
    .set('query parser', false);
  app.use(openContext(logger, metrics), securityHeaders(), corsHeaders(config.CORS_ORIGINS));
  app.get('/health', healthHandler(service));
  app.get('/ready', readyHandler({ service, ...health }));
  mountMachinePages(app, { service, description: options.description, routes, metrics });
  for (const path of ['/health', '/ready', ...MACHINE_PAGES]) refuseOtherMethods(app, path, ['GET', 'HEAD']);
  mountRoutes(app, routes, {
    authenticate: createAuthenticator({ accessTokens, serviceTokens, revocations }),
    rateLimit: createRateLimits({
      limits: config.limits,
      enabled: config.RATE_LIMIT_ENABLED,
      redis,
      metrics,
    }),
  });
  app.use(() => {
    throw new RouteNotFound();
  });
  app.use(answerProblem);
  return app;
}

/** Gives the request its id and logger, and tells log and metrics when it is over. */
function openContext(logger: Logger, metrics: Metrics): RequestHandler {
  return (request, response, next) => {
    const id = requestIdFrom(request.get('x-request-id'));
    const context: RequestContext = {
      id,
      log: logger.child({ request_id: id }),
      startedAt: performance.now(),
      route: undefined,
      principal: undefined,
    };
    response.locals['context'] = context;
    response.set('X-Request-Id', id);
    const { method, path } = request;
    response.once('close', () => {
      cutUnreadBody(request);
      const { route, principal, startedAt, log } = contextOf(response);
      const milliseconds = performance.now() - startedAt;
      const status = response.writableFinished ? response.statusCode : 499;
      metrics.requests.observe({ method, route: route ?? 'other', status }, milliseconds / 1000);
      if (route === undefined && status < 400) return;
      const who =
        principal?.kind === 'user' ? { user_id: principal.id } : principal && { service_id: principal.name };
      log.info({ method, path, status, ms: Math.round(milliseconds * 10) / 10, ...who }, 'request');
    });
    next();
  };
}

/** The services answer data, never pages: nothing may be loaded, framed or guessed from an answer. */
function securityHeaders(): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
    crossOriginResourcePolicy: { policy: 'cross-origin' },
    referrerPolicy: { policy: 'no-referrer' },
  });
}

function corsHeaders(origins: string): RequestHandler {
  const listed = origins.split(',').map((origin) => origin.trim());
  const everyone = listed.includes('*');
  return cors({
    origin: everyone ? '*' : listed,
    credentials: !everyone,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: ALLOWED_HEADERS,
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: PREFLIGHT_LIFETIME,
  });
}
