import { describe, expect, test } from '@jest/globals';
import type { Express } from 'express';
import request from 'supertest';
import type { Route } from '../src/http/define-route.ts';
import { declaredRoutes } from '../src/http/mount-routes.ts';

/** More than a JSON body may have, in bytes. Set the limits of streams below it. */
const TOO_LARGE = 101 * 1024;

interface RefusalsOptions {
  app: Express;
  /** The same service with every limit at one request: see `oneRequestEach`. */
  limited: Express;
  /** `Authorization` of an admin. */
  signIn: () => string | Promise<string>;
}

/** Variables that set each limit that the routes of this app name to one request a minute. */
export function oneRequestEach(app: Express): Record<string, string> {
  const names = declaredRoutes(app).flatMap(({ limit }) => (limit === false ? [] : [limit.toUpperCase()]));
  return Object.fromEntries([
    ['RATE_LIMIT_ENABLED', 'true'],
    ...names.map((name) => [`RATE_LIMIT_${name}`, '1/60']),
  ]);
}

/** Tests every route that clients may call with requests that any such route refuses, before it does anything. */
export function describeRefusals({ app, limited, signIn }: RefusalsOptions): void {
  const routes = declaredRoutes(app).filter(({ who }) => who !== 'service');
  /** To an id that need not exist: each of these requests is refused before it is looked up. */
  const send = (to: Express, route: Route, { headers = {}, body, query = {} }: Sent = {}) =>
    request(to)[route.method](route.path.replaceAll(/:\w+/g, '1')).query(query).set(headers).send(body);

  describe.each(routes.map((route) => [nameOf(route), route] as const))('%s', (_name, route) => {
    const type = route.stream?.types[0] ?? 'application/json';
    const takesBody = route.body !== undefined || route.stream !== undefined;
    const right = takesBody ? { 'content-type': type } : {};

    test('refuses an unknown parameter', async () => {
      const headers = { ...right, authorization: await signIn() };
      const refused = await send(app, route, { headers, query: UNKNOWN, body: takesBody ? '{}' : undefined });
      expect(refused.status).toBe(400);
      expect(refused.body.errors).toContain('Unknown query parameter: no_such_parameter');
    });

    if (route.limit !== false)
      test('refuses one request more than its limit', async () => {
        const authorization = await signIn();
        await send(limited, route, { headers: { authorization }, query: UNKNOWN });
        const refused = await send(limited, route, { headers: { authorization }, query: UNKNOWN });
        expect([refused.status, Number(refused.headers['retry-after']) > 0]).toEqual([429, true]);
      });

    if (takesBody)
      test('refuses another media type, and a body that is too large', async () => {
        const authorization = await signIn();
        const html = { authorization, 'content-type': 'text/html' };
        const other = await send(app, route, { headers: html, body: '<p>' });
        const body = JSON.stringify('x'.repeat(TOO_LARGE));
        const large = await send(app, route, { headers: { ...right, authorization }, body });
        expect([other.status, large.status]).toEqual([415, 413]);
      });
  });
}

interface Sent {
  headers?: Record<string, string>;
  query?: Record<string, string>;
  body?: string | undefined;
}

const UNKNOWN = { no_such_parameter: '1' };
const nameOf = ({ method, path }: Route) => `${method.toUpperCase()} ${path}`;
