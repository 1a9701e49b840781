import type { Request, Response } from 'express';
import type { Logger } from 'pino';
import type { Span } from '../tracing/span.ts';
import type { Caller } from './define-route.ts';
import type { Service, User } from './principal.ts';

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
  principal: User | Service | undefined = undefined;
  /** Of a route, if the request belongs to a trace. */
  span: Span | undefined = undefined;
  /** What handlers have noted for the log line. */
  notes: Record<string, unknown> | undefined = undefined;
  readonly requestId: string;
  readonly #request: Request;
  readonly #logger: Logger;
  #log: Logger | undefined;
  #address: string | undefined;

  constructor(request: Request, requestId: string, logger: Logger) {
    this.#request = request;
    this.#logger = logger;
    this.requestId = requestId;
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

export function openContext(
  request: Request,
  response: Response,
  requestId: string,
  logger: Logger,
): RequestContext {
  const context = new RequestContext(request, requestId, logger);
  response.locals['context'] = context;
  return context;
}

export function contextOf(response: Response): RequestContext {
  return response.locals['context'] as RequestContext;
}
