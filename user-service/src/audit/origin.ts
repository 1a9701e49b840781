import type { Caller } from '@shop/service-kit/http/define-route';

/** The client that a request came from. */
export interface Origin {
  ip: string | null;
  userAgent: string | null;
  requestId: string | null;
}

const MAX_USER_AGENT = 300;

export function originOf({ address, userAgent, requestId }: Caller): Origin {
  return {
    ip: address === '' ? null : address,
    userAgent: userAgent?.slice(0, MAX_USER_AGENT) ?? null,
    requestId,
  };
}
