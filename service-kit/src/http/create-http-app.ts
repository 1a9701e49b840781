import type { IncomingMessage, ServerResponse } from 'node:http';
import express, { type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import type { Accounts } from '../accounts/accounts.ts';
import { MalformedRequest, RouteNotFound } from '../errors/http-errors.ts';
import type { RedisConnection } from '../redis/connect.ts';
import { registerDependencyMetrics } from '../runtime/dependency.metrics.ts';
import { type HealthOptions, healthHandler, readyHandler } from '../runtime/health.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { AccessTokenVerifier } from '../tokens/access-token.ts';
import type { ServiceTokenVerifier } from '../tokens/service-token.ts';
import type { Tracer } from '../tracing/span.ts';
import { createAuthenticator } from './authenticate.ts';
import { corsHeaders } from './cors.ts';
import type { Route } from './define-route.ts';
import { mountRoutes, refuseOtherMethods } from './mount-routes.ts';
import { sendProblem } from './problem.ts';
import { createRateLimits, type Limits } from './rate-limit.ts';
import { openContext, type RequestContext } from './request-context.ts';
import { requestIdFrom } from './request-id.ts';
import { mountSystemRoutes, SYSTEM_PATHS } from './system-routes.ts';
import { cutUnreadBody } from './unread-body.ts';

export interface HttpAppOptions {
  service: string;
  /** One sentence for the API document. */
  description: string;
  /** Groups of operations with their descriptions, for the API document. */
  tags?: Readonly<Record<string, string>>;
  routes: Route[];
  config: { CORS_ORIGINS: string; TRUST_PROXY: number; RATE_LIMIT_ENABLED: boolean; limits: Limits };
  logger: Logger;
  metrics: Metrics;
  redis: RedisConnection | undefined;
  accessTokens: AccessTokenVerifier;
  serviceTokens?: ServiceTokenVerifier;
  accounts: Accounts;
  health: Omit<HealthOptions, 'service' | 'logger'>;
  /** Multiplies what requests may take; 1 in production. */
  timeLimitFactor?: number | undefined;
  /** If missing, nothing is traced. */
  tracer?: Tracer | undefined;
}

/** The Express app of a service, built from its route declarations. Does no I/O of its own. */
export function createHttpApp(options: HttpAppOptions): Express {
  const { service, routes, config, logger, metrics, redis, accessTokens, serviceTokens, accounts, health } =
    options;
  const app = express();
  app
    .disable('x-powered-by')
    .disable('etag')
    .set('trust proxy', config.TRUST_PROXY)
    .set('query parser', false);
  app.use(followRequest(logger, metrics), corsHeaders(config.CORS_ORIGINS), requireHost);
  mountRoutes(app, routes, {
    authenticate: createAuthenticator({ accessTokens, serviceTokens, accounts }),
    rateLimit: createRateLimits({
      limits: config.limits,
      enabled: config.RATE_LIMIT_ENABLED,
      redis,
      metrics,
    }),
    timeLimitFactor: options.timeLimitFactor ?? 1,
    tracer: options.tracer,
  });
  const optional = { ...health.optional, ...accounts.checks };
  app.get('/health', healthHandler(service));
  app.get('/ready', readyHandler({ service, logger, ...health, optional }));
  registerDependencyMetrics(metrics.registry, { ...health.required, ...optional });
  mountSystemRoutes(app, { service, description: options.description, tags: options.tags, routes, metrics });
  for (const path of ['/health', '/ready', ...SYSTEM_PATHS]) refuseOtherMethods(app, path, ['GET', 'HEAD']);
  app.use(() => {
    throw new RouteNotFound();
  });
  app.use(sendProblem);
  return app;
}

/** Sets up a request's id, logger and common response headers; writes its log line and metrics when it has ended. */
function followRequest(logger: Logger, metrics: Metrics): RequestHandler {
  // No field of this line can hold a secret; redaction took three quarters of the time of writing it.
  const lines = logger.child({}, { redact: [] });
  const always = securityHeaders();
  return (request, response, next) => {
    const id = requestIdFrom(request.headers['x-request-id']);
    const context = openContext(request, response, id, logger);
    response.setHeader('X-Request-Id', id);
    for (const [name, value] of always) response.setHeader(name, value);
    const { method, path } = request;
    response.once('close', () => {
      cutUnreadBody(request);
      const { route, principal, startedAt, span } = context;
      const milliseconds = performance.now() - startedAt;
      const status = response.writableFinished ? response.statusCode : 499;
      metrics.requests.observe({ method, route: route ?? 'other', status }, milliseconds / 1000);
      const ids = { request_id: id, ...(span && { trace_id: span.traceId }) };
      span?.end(
        { 'http.response.status_code': status, 'request.id': id, ...context.notes },
        status >= 500 ? { code: status } : undefined,
      );
      if (route === undefined && status < 400) return;
      const ms = Math.round(milliseconds * 10) / 10;
      lines.info({ ...ids, method, path, status, ms, ...whoIs(principal), ...context.notes }, 'request');
    });
    next();
  };
}

function whoIs(principal: RequestContext['principal']) {
  if (principal === undefined) return {};
  return principal.kind === 'user' ? { user_id: principal.id } : { service_id: principal.name };
}

/** RFC 9112, 3.2. Node's own refusal, which run-server.ts switches off, has no body. */
const requireHost: RequestHandler = ({ headers, httpVersion }, _response, next) => {
  const isMissing = headers.host === undefined && httpVersion !== '1.0';
  next(isMissing ? new MalformedRequest('The Host header is missing') : undefined);
};

/** For pages or for obsolete browsers only; `/docs`, which is a page, sets them itself. */
const NOT_FOR_DATA = {
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
} as const;

/** The services return data, never pages: browsers must not load, frame or sniff anything from a response. */
function securityHeaders(): Header[] {
  return headersSetBy(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
      },
      crossOriginResourcePolicy: { policy: 'cross-origin' },
      referrerPolicy: { policy: 'no-referrer' },
      ...NOT_FOR_DATA,
    }),
  );
}

type Header = [name: string, value: string];

/** The headers of a middleware that sets the same ones for each request, read once. */
function headersSetBy(middleware: ReturnType<typeof helmet>): Header[] {
  const headers: Header[] = [];
  const response = {
    setHeader: (name: string, value: string) => void headers.push([name, value]),
    removeHeader: () => undefined,
  };
  middleware({} as IncomingMessage, response as unknown as ServerResponse, (error) => {
    if (error !== undefined) throw error;
  });
  return headers;
}
