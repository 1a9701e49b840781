import { describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { thingApp as app } from './support/documented-things.ts';

describe('GET /docs', () => {
  test('loads everything from this host', async () => {
    const page = await request(app).get('/docs');
    expect(page.status).toBe(200);
    expect(page.headers['content-type']).toContain('text/html');
    expect(page.headers['content-security-policy']).toContain("script-src 'self'");
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    expect(page.text).toContain('<title>kit-service API</title>');
    const addresses = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');
    expect(addresses).toHaveLength(4);
    for (const address of addresses) {
      expect(address).toMatch(/^\/docs\//);
      expect((await request(app).get(address)).status).toBe(200);
    }
  });

  test('shows the document of this service', async () => {
    const script = await request(app).get('/docs/start.js');
    expect(script.headers['content-type']).toContain('javascript');
    expect(script.text).toContain("fetch('/openapi.json')");
  });

  test('links to the pages of the other services if these run on their usual ports', async () => {
    const linksAt = async (host: string) => {
      const { text: page } = await request(app).get('/docs').set('Host', host);
      return [...page.matchAll(/href="(http[^"]+)"/g)].map((match) => match[1]);
    };
    const all = [5001, 5002, 5003].map((port) => `http://shop.test:${port}/docs`);
    expect(await linksAt('shop.test:5002')).toEqual(all);
    expect(await linksAt('[::1]:5001')).toContain('http://[::1]:5003/docs');
    expect(await linksAt('shop.test')).toEqual([]);
    expect(await linksAt('shop.test:8080')).toEqual([]);
    expect(await linksAt('"><script>:5001')).toEqual([]);
  });

  test('is where / redirects to', async () => {
    const { status, headers } = await request(app).get('/');
    expect([status, headers['location']]).toEqual([302, '/docs']);
  });

  test.each(['package.json', 'index.html', 'swagger-initializer.js', '..%2fpackage.json', '%2e%2e'])(
    'does not serve %s',
    async (name) => expect((await request(app).get(`/docs/${name}`)).status).toBe(404),
  );
});

test('GET /metrics returns process and request metrics for Prometheus', async () => {
  const page = await request(app).get('/metrics');
  expect(page.headers['content-type']).toContain('text/plain');
  expect(page.headers['cache-control']).toBe('no-store');
  expect(page.text).toContain('process_cpu_seconds_total');
  expect(page.text).toMatch(/# TYPE http_request_duration_seconds histogram/);
});
