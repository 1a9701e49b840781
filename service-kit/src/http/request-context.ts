import { randomUUID } from 'node:crypto';
import type { Request, Response } from 'express';
import type { Logger } from 'pino';
import type { Span } from '../tracing/span.ts';
import type { Caller } from './define-route.ts';
import type { Service, User } from './principal.ts';

/** Ids that are safe to log and to pass on. */
const SAFE_ID = /^[A-Za-z0-9._-]{1,128}$/;
/** A server that listens on IPv6 sees a client on IPv4 as `::ffff:203.0.113.7`. */
const IPV4_MAPPED = /^::ffff:(?=\d+\.)/i;

/**
 * The kit's state of a request in progress. Creates logger and address only when they are used. A class, because getters of
 * a plain object would be new functions for each request: V8 would give each object a shape of its own and keep it through
 * several collections.
 */
export class RequestContext implements Caller {
  readonly startedAt = performance.now();
  /** The declared path of the route, for logs and metrics; an unknown address has none. */
  route: string | undefined = undefined;
  isPolled = false;
  principal: User | Service | undefined = undefined;
  /** Of a route, if the request belongs to a trace. */
  span: Span | undefined = undefined;
  /** What handlers have noted for the log line. */
  notes: Record<string, unknown> | undefined = undefined;
  /** The caller's `X-Request-Id` if it is safe, otherwise a new one. */
  readonly requestId: string;
  readonly #request: Request;
  readonly #logger: Logger;
  #log: Logger | undefined;
  #address: string | undefined;

  constructor(request: Request, logger: Logger) {
    const sent = request.headers['x-request-id'];
    this.requestId = typeof sent === 'string' && SAFE_ID.test(sent) ? sent : randomUUID();
    this.#request = request;
    this.#logger = logger;
  }

  get log(): Logger {
    this.#log ??= this.#logger.child({ request_id: this.requestId });
    return this.#log;
  }

  get address(): string {
    this.#address ??= (this.#request.ip ?? '').replace(IPV4_MAPPED, '');
    return this.#address;
  }

  get userAgent(): string | undefined {
    return this.#request.headers['user-agent'];
  }

  note(fields: Record<string, unknown>): void {
    this.notes = { ...this.notes, ...fields };
  }
}

export function openContext(request: Request, response: Response, logger: Logger): RequestContext {
  const context = new RequestContext(request, logger);
  response.locals['context'] = context;
  return context;
}

export function contextOf(response: Response): RequestContext {
  return response.locals['context'] as RequestContext;
}
