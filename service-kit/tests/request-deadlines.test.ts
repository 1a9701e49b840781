import { expect, test } from '@jest/globals';
import request from 'supertest';
import { z } from 'zod';
import { remainingTime } from '../src/deadline/deadline.ts';
import { defineRoute, type TimeLimit, type Who } from '../src/http/define-route.ts';
import { createServiceTokenSigner } from '../src/tokens/service-token.ts';
import { bearer, TEST_SERVICE_SECRET } from '../testing/test-tokens.ts';
import { createTestApp } from './support/test-app.ts';

const response = z.object({ left: z.number().nullable() });
const routeOf = (path: string, who: Who, timeLimit?: TimeLimit) =>
  defineRoute({
    method: 'post',
    path,
    summary: 'Return the time left',
    who,
    limit: false,
    ...(timeLimit && { timeLimit }),
    body: z.strictObject({}),
    status: 200,
    response,
    async handler() {
      // The deadline must survive an await.
      await new Promise((resolve) => setTimeout(resolve, 5));
      return { left: remainingTime() ?? null };
    },
  });
const upload = defineRoute({
  method: 'post',
  path: '/upload',
  summary: 'Return the time left for an upload',
  who: 'anyone',
  limit: false,
  stream: { types: ['text/csv'], maxBytes: 1000, stallTimeout: 1000 },
  status: 200,
  response,
  handler: async () => ({ left: remainingTime() ?? null }),
});
const { app } = createTestApp({
  routes: [
    upload,
    routeOf('/usual', 'anyone'),
    routeOf('/password', 'user', 'password'),
    routeOf('/steps', 'anyone', 'steps'),
    routeOf('/internal/call', 'service'),
  ],
});
const service = `Bearer ${createServiceTokenSigner(TEST_SERVICE_SECRET, 'order-service', 'kit-service')()}`;
const post = (path: string, token?: string, left?: string) => {
  const call = request(app).post(path).send({});
  if (token !== undefined) call.set('Authorization', token);
  return left === undefined ? call : call.set('X-Request-Deadline-Ms', left);
};

test.each([
  ['/usual', undefined, 1, 2000],
  ['/password', bearer(1), 2001, 12_000],
  ['/internal/call', service, 1, 2000],
])('%s has a deadline', async (path, token, from, to) => {
  const { left } = (await post(path, token).expect(200)).body;
  expect(left).toBeGreaterThanOrEqual(from);
  expect(left).toBeLessThan(to);
});

test('a route with steps, or that reads a stream, has no deadline', async () => {
  expect((await post('/steps').expect(200)).body).toEqual({ left: null });
  const uploaded = await request(app).post('/upload').type('text/csv').send('a,b').expect(200);
  expect(uploaded.body).toEqual({ left: null });
});

test('a calling service sets the deadline, up to the usual one', async () => {
  expect((await post('/internal/call', service, '300').expect(200)).body.left).toBeLessThan(300);
  expect((await post('/internal/call', service, '999999').expect(200)).body.left).toBeLessThan(2000);
  await post('/internal/call', service, 'soon').expect(400);
});

test.each([
  ['/usual', undefined, 400],
  ['/password', bearer(1), 400],
  ['/internal/call', undefined, 401],
  ['/internal/call', bearer(1), 401],
])('%s refuses a deadline that is not set by a service', async (path, token, status) => {
  await post(path, token, '60000').expect(status);
});
