import type { Response } from 'express';
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
  readonly startedAt: number;
  /** The declared path of the route, for logs and metrics; an unknown address has none. */
  route: string | undefined;
  principal: User | Service | undefined;
}

export function contextOf(response: Response): RequestContext {
  return response.locals['context'] as RequestContext;
}
