import { generateKeyPairSync } from 'node:crypto';
import { afterAll } from '@jest/globals';
import { type AuthzRule, describeAuthorization } from '@shop/service-kit/testing/authz-table';
import { mailedToken } from './support/mail-links.ts';
import { startTestShop } from './support/test-shop.ts';
import { logIn, PASSWORD, register, registerAdmin, registration } from './support/user.factory.ts';

// With a private key, so that every route has a successful response.
const shop = await startTestShop();
const { app } = await shop.startReplica({ env: { JWT_PRIVATE_KEY: privateKey() } });
afterAll(() => shop.close());

/** Of one user, who is the owner of it. */
const ofOneself = (body?: () => object): AuthzRule => ({
  async request() {
    const { user, bearer } = await register(app);
    return {
      params: { id: user.id },
      as: { owner: bearer },
      ...(body === undefined ? {} : { body: body() }),
    };
  },
  may: ['owner', 'admin'],
});
const forUsers: AuthzRule = { request: () => ({}) };

describeAuthorization({
  app,
  service: 'user-service',
  signIn: async (user) => (await (user === 'admin' ? registerAdmin(app, shop.db) : register(app))).bearer,
  rules: {
    'GET /internal/accounts/changes': { request: () => ({}) },
    'GET /.well-known/jwks.json': { request: () => ({}) },
    'POST /api/users/register': { request: () => ({ body: registration() }) },
    'POST /api/users/login': {
      request: async () => ({ body: { username: (await register(app)).user.username, password: PASSWORD } }),
    },
    'POST /api/users/refresh': {
      request: async () => ({ body: { refresh_token: (await register(app)).tokens.refresh_token } }),
    },
    'POST /api/users/logout': forUsers,
    'POST /api/users/logout-all': forUsers,
    'GET /api/users/me': forUsers,
    'PUT /api/users/me/password': {
      request: () => ({ body: { current_password: PASSWORD, new_password: 'another-password' } }),
    },
    'POST /api/users/password-reset': { request: () => ({ body: { email: 'nobody@example.com' } }) },
    'POST /api/users/password-reset/confirm': {
      request: async () => ({
        body: {
          token: await mailedToken(shop.db, (await register(app)).user, 'reset_password'),
          new_password: PASSWORD,
        },
      }),
    },
    'POST /api/users/verify-email': {
      request: async () => ({
        body: { token: await mailedToken(shop.db, (await register(app)).user, 'verify_email') },
      }),
    },
    'POST /api/users/me/verify-email': forUsers,
    'GET /api/users/audit': { request: () => ({}) },
    'GET /api/users/me/sessions': forUsers,
    'DELETE /api/users/me/sessions/:id': {
      async request() {
        const owner = await register(app);
        await logIn(app, owner.user.username);
        const session = await shop.db.session.findFirstOrThrow({
          where: { userId: owner.user.id },
          orderBy: { createdAt: 'desc' },
        });
        return { params: { id: session.id }, as: { owner: owner.bearer } };
      },
      may: ['owner'],
      refused: { buyer: 404, other: 404, admin: 404 },
    },
    'GET /api/users': { request: () => ({}) },
    'GET /api/users/:id': ofOneself(),
    'PUT /api/users/:id': ofOneself(() => ({ username: registration().username })),
    'DELETE /api/users/:id': ofOneself(),
    'PUT /api/users/:id/role': {
      request: async () => ({ params: { id: (await register(app)).user.id }, body: { role: 'admin' } }),
      may: ['admin'],
    },
    'GET /api/users/:id/sessions': {
      request: async () => ({ params: { id: (await register(app)).user.id } }),
    },
    'DELETE /api/users/:id/sessions': {
      request: async () => ({ params: { id: (await register(app)).user.id } }),
    },
  },
});

function privateKey(): string {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .privateKey.export({ format: 'pem', type: 'pkcs8' })
    .toString();
}
