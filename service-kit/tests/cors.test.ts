import { describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { thingApp as app, thingLimits, thingRoutes } from './support/documented-things.ts';
import { createTestApp } from './support/test-app.ts';

describe('CORS', () => {
  const preflight = (to: typeof app, origin: string) =>
    request(to).options('/things/1').set('Origin', origin).set('Access-Control-Request-Method', 'PUT');

  test('allows any origin without credentials by default', async () => {
    const { status, headers } = await preflight(app, 'https://shop.example');
    expect(status).toBe(204);
    expect(headers['access-control-allow-origin']).toBe('*');
    expect(headers).not.toHaveProperty('access-control-allow-credentials');
    expect(headers['access-control-allow-headers']).toBe(
      'Authorization,Content-Type,Idempotency-Key,If-Match,If-None-Match,X-Request-Id',
    );
    expect(headers['access-control-allow-methods']).toBe('GET,HEAD,POST,PUT,PATCH,DELETE');
    const plain = await request(app).get('/things/1').set('Origin', 'https://shop.example');
    expect(plain.headers['access-control-expose-headers']).toBe(
      'ETag,X-Request-Id,RateLimit,RateLimit-Policy,Retry-After,Idempotent-Replayed,Location,Cache-Status,Content-Disposition',
    );
  });

  test('allows only the listed origins, with credentials', async () => {
    const config = { CORS_ORIGINS: 'https://shop.example, https://admin.example', limits: thingLimits };
    const listed = createTestApp({ routes: thingRoutes, config }).app;
    const good = (await preflight(listed, 'https://admin.example')).headers;
    expect(good).toMatchObject({
      'access-control-allow-origin': 'https://admin.example',
      'access-control-allow-credentials': 'true',
    });
    const bad = (await preflight(listed, 'https://evil.example')).headers;
    expect(bad).not.toHaveProperty('access-control-allow-origin');
  });
});
