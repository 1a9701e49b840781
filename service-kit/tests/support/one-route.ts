import request from 'supertest';
import { z } from 'zod';
import { defineRoute } from '../../src/http/define-route.ts';
import { createTestApp } from './test-app.ts';

export const thing = z.object({ name: z.string() });

/** A GET route with one handler. */
export function appOf(path: string, handler: () => unknown, more: { who?: 'user'; status?: number } = {}) {
  const route = defineRoute({
    method: 'get',
    path,
    summary: 'Get',
    who: more.who ?? 'anyone',
    limit: false,
    status: more.status ?? 200,
    response: thing,
    handler: handler as () => { name: string },
  });
  return createTestApp({ routes: [route] });
}
export const getFrom = (handler: () => unknown) => request(appOf('/it', handler).app).get('/it');
