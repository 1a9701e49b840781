import { z } from 'zod';
import { Forbidden } from '../src/errors/http-errors.ts';
import { defineRoute, type Who } from '../src/http/define-route.ts';
import { describeAuthorization } from '../testing/authz-table.ts';
import { bearer } from '../testing/test-tokens.ts';
import { createTestApp } from './support/test-app.ts';

const OWNER = 3;
const routeFor = (who: Who) =>
  defineRoute({
    method: 'get',
    path: `/${who}/:id`,
    summary: `For ${who}`,
    who,
    limit: false,
    status: 200,
    response: z.object({}),
    handler: () => ({}),
  });
const owned = defineRoute({
  method: 'put',
  path: '/owned',
  summary: 'For the owner',
  who: 'user',
  only: 'its owner',
  limit: false,
  query: z.object({ depth: z.string() }),
  body: z.strictObject({ name: z.string() }),
  status: 201,
  response: z.object({}),
  handler({ user }) {
    if (user.id !== OWNER) throw new Forbidden();
    return {};
  },
});
const { app } = createTestApp({
  routes: [...(['anyone', 'user', 'admin', 'service'] as const).map(routeFor), owned],
});

describeAuthorization({
  app,
  service: 'kit-service',
  signIn: (user) => bearer(2, user === 'admin' ? 'admin' : 'customer'),
  rules: {
    'GET /anyone/:id': { request: () => ({ params: { id: 1 } }) },
    'GET /user/:id': { request: () => ({ params: { id: 1 } }) },
    'GET /admin/:id': { request: () => ({ params: { id: 1 } }) },
    'GET /service/:id': { request: () => ({ params: { id: 1 } }) },
    'PUT /owned': {
      request: () => ({ query: { depth: 1 }, body: { name: 'x' }, as: { owner: bearer(OWNER) } }),
      may: ['owner'],
    },
  },
});
