import express, { type Express, type RequestHandler } from 'express';
import type { Logger } from 'pino';
import type { Accounts } from '../accounts/accounts.ts';
import { MalformedRequest, RouteNotFound } from '../errors/http-errors.ts';
import type { RedisConnection } from '../redis/connect.ts';
import { registerDependencyMetrics } from '../runtime/dependency.metrics.ts';
import { type Checks, healthHandler, readyHandler } from '../runtime/health.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { Runtime } from '../runtime/run-server.ts';
import { createAccessTokenVerifier } from '../tokens/access-token.ts';
import { createServiceTokenVerifier } from '../tokens/service-token.ts';
import type { TokenKeys } from '../tokens/token-keys.ts';
import { createAuthenticator } from './authenticate.ts';
import { corsHeaders } from './cors.ts';
import type { Route } from './define-route.ts';
import { mountRoutes, refuseMethod } from './mount-routes.ts';
import { sendProblem } from './problem.ts';
import { createRateLimits, type Limits } from './rate-limit.ts';
import { openContext, type RequestContext } from './request-context.ts';
import { SECURITY_HEADERS } from './security-headers.ts';
import { mountSystemRoutes, SYSTEM_PATHS } from './system-routes.ts';
import { cutUnreadBody } from './unread-body.ts';

interface HttpConfig {
  CORS_ORIGINS: string;
  TRUST_PROXY: number;
  RATE_LIMIT_ENABLED: boolean;
  TIME_LIMIT_FACTOR: number;
  SERVICE_TOKEN_SECRET: string;
  limits: Limits;
}

export interface HttpAppOptions extends Runtime<HttpConfig> {
  /** Its name, to which service tokens are addressed. */
  service: string;
  /** One sentence for the API document. */
  description: string;
  /** Groups of operations with their descriptions, for the API document. */
  tags?: Readonly<Record<string, string>>;
  routes: Route[];
  /** Without it, limits are kept in this process. */
  redis: RedisConnection | undefined;
  accessKeys: TokenKeys;
  accounts: Accounts;
  /** For `GET /ready`, besides those of Redis and of the account changes, which are optional. */
  checks: { required: Checks; optional?: Checks };
}

/** The Express app of a service, built from its route declarations. Does no I/O of its own. */
export function createHttpApp(options: HttpAppOptions): Express {
  const { service, routes, config, logger, metrics, redis, accounts, checks, isStopping } = options;
  const app = express();
  app
    .disable('x-powered-by')
    .disable('etag')
    .set('trust proxy', config.TRUST_PROXY)
    .set('query parser', false);
  app.use(followRequest(logger, metrics), corsHeaders(config.CORS_ORIGINS), requireHost);
  mountRoutes(app, routes, {
    authenticate: createAuthenticator({
      accessTokens: createAccessTokenVerifier(options.accessKeys, accounts.now),
      serviceTokens: createServiceTokenVerifier(config.SERVICE_TOKEN_SECRET, service),
      accounts,
    }),
    rateLimit: createRateLimits({
      limits: config.limits,
      enabled: config.RATE_LIMIT_ENABLED,
      redis,
      metrics,
    }),
    timeLimitFactor: config.TIME_LIMIT_FACTOR,
    tracer: options.tracer,
  });
  const { required } = checks;
  const optional = { ...checks.optional, ...(redis && { redis: redis.check }), ...accounts.checks };
  app.get('/health', healthHandler(service));
  app.get('/ready', readyHandler({ service, logger, required, optional, isStopping }));
  registerDependencyMetrics(metrics.registry, { ...required, ...optional });
  mountSystemRoutes(app, { service, description: options.description, tags: options.tags, routes, metrics });
  app.all(['/health', '/ready', ...SYSTEM_PATHS], refuseMethod(['GET', 'HEAD']));
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
  const always = Object.entries(SECURITY_HEADERS);
  return (request, response, next) => {
    const context = openContext(request, response, logger);
    response.setHeader('X-Request-Id', context.requestId);
    for (const [name, value] of always) response.setHeader(name, value);
    const { method, path } = request;
    response.once('close', () => {
      cutUnreadBody(request);
      const { requestId: id, route, isPolled, principal, startedAt, span } = context;
      const milliseconds = performance.now() - startedAt;
      const status = response.writableFinished ? response.statusCode : 499;
      metrics.requests.observe({ method, route: route ?? 'other', status }, milliseconds / 1000);
      const ids = { request_id: id, ...(span && { trace_id: span.traceId }) };
      span?.end(
        { 'http.response.status_code': status, 'request.id': id, ...context.notes },
        status >= 500 ? { code: status } : undefined,
      );
      if ((route === undefined || isPolled) && status < 400) return;
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
