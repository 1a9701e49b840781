import type { Request, Response } from 'express';
import type { Logger } from 'pino';

/** A signed-in person, as the access token tells. */
export interface User {
  readonly kind: 'user';
  readonly id: number;
  readonly role: 'customer' | 'admin';
  readonly sessionId: string;
}

/** Another service of this deployment, as its service token tells. */
export interface Service {
  readonly kind: 'service';
  readonly name: string;
}

/** What the kit knows about a request while it is answered. */
export interface RequestContext {
  readonly id: string;
  readonly log: Logger;
  /** The client's, past the proxies that are trusted. */
  readonly address: string;
  readonly startedAt: number;
  /** The declared path of the route, for logs and metrics; an unknown address has none. */
  route: string | undefined;
  principal: User | Service | undefined;
}

/** What many requests never ask for is made when it is. */
export function openContext(request: Request, id: string, logger: Logger): RequestContext {
  let log: Logger | undefined;
  let address: string | undefined;
  return {
    id,
    startedAt: performance.now(),
    route: undefined,
    principal: undefined,
    get log() {
      log ??= logger.child({ request_id: id });
      return log;
    },
    get address() {
      address ??= request.ip ?? '';
      return address;
    },
  };
}

export function contextOf(response: Response): RequestContext {
  return response.locals['context'] as RequestContext;
}
