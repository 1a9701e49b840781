import { expect, test } from '@jest/globals';
import request from 'supertest';
import { z } from 'zod';
import { defineRoute } from '../src/http/define-route.ts';
import { createTestApp } from './support/test-app.ts';

test('of a route that other services poll, only failures are logged', async () => {
  const feed = defineRoute({
    method: 'get',
    path: '/feed',
    summary: 'A feed',
    who: 'anyone',
    limit: false,
    isPolled: true,
    query: z.object({ after: z.string().regex(/^\d+$/).optional() }),
    status: 200,
    handler: () => undefined,
  });
  const { app, lines } = createTestApp({ routes: [feed] });
  await request(app).get('/feed?after=1').expect(200);
  await request(app).get('/feed?after=a').expect(400);
  expect(lines.filter(({ msg }) => msg === 'request')).toMatchObject([{ path: '/feed', status: 400 }]);
});
