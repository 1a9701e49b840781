import { defineRoute } from '@shop/service-kit/http/define-route';
import { reply } from '@shop/service-kit/http/reply';
import { jwksResponse, type PublishedKey } from './jwks.schemas.ts';

/** Seconds. A key must be published for longer than this before it signs, because verifiers may keep the response. */
const MAX_AGE = 300;

/** Not limited: services of this deployment read it too, and it costs no more than a refusal. */
export function jwksRoutes(keys: PublishedKey[]) {
  return [
    defineRoute({
      method: 'get',
      path: '/.well-known/jwks.json',
      operationId: 'getPublicKeys',
      tag: 'Sessions',
      summary: 'Get the public keys that verify access tokens',
      description: 'A JWK Set (RFC 7517), empty while tokens are signed with a shared secret.',
      who: 'anyone',
      limit: false,
      status: 200,
      response: jwksResponse,
      handler: () => reply({ keys }, { headers: { 'Cache-Control': `public, max-age=${MAX_AGE}` } }),
    }),
  ];
}
