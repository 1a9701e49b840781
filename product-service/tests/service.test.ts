import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { declaredRoutes } from '@shop/service-kit/http/mount-routes';
import request from 'supertest';
import { loadProductConfig } from '../src/config.ts';
import { createProduct, seller } from './support/product.factory.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
  // On a busy machine the first connection may take longer than the check waits.
  await shop.db.$queryRaw`SELECT 1`;
});
afterAll(() => shop.close());

describe('health', () => {
  test('is healthy while the process runs', async () => {
    const response = await request(shop.app).get('/health').expect(200);
    expect(response.body).toEqual({ status: 'healthy', service: 'product-service' });
  });

  test('is ready with database and Redis', async () => {
    const response = await request(shop.app).get('/ready').expect(200);
    expect(response.body).toMatchObject({ status: 'ready', checks: { database: 'ok', redis: 'ok' } });
  });

  test('is ready without a configured Redis, and degraded if Redis is unavailable', async () => {
    const alone = await shop.startReplica({ redis: false });
    const ready = await request(alone.app).get('/ready').expect(200);
    expect(ready.body).toMatchObject({ status: 'ready', checks: { database: 'ok' } });
    const cut = await shop.startReplica();
    cut.redis.client.disconnect();
    const degraded = await request(cut.app).get('/ready').expect(200);
    expect(degraded.body).toMatchObject({ status: 'degraded', checks: { redis: 'down' } });
  });

  test('is 503 without the database', async () => {
    const lost = await shop.startReplica({
      redis: false,
      env: { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing' },
    });
    await request(lost.app).get('/ready').expect(503);
    const refused = await request(lost.app).get('/api/products').expect(503);
    expect(refused.body.code).toBe('unavailable');
    expect(refused.headers['retry-after']).toBe('1');
    const metrics = await request(lost.app).get('/metrics').expect(200);
    expect(metrics.text).toContain('reservations_held');
  });

  test('is not ready once a stop has begun', async () => {
    const stopping = await shop.startReplica({ isStopping: () => true });
    await request(stopping.app).get('/ready').expect(503);
    await request(stopping.app).get('/health').expect(200);
  });
});

describe('system routes', () => {
  test('the API document lists every public operation and no internal one', async () => {
    const { body } = await request(shop.app).get('/openapi.json').expect(200);
    expect(body.openapi).toBe('3.1.0');
    expect(Object.keys(body.paths).sort()).toEqual([
      '/api/products',
      '/api/products/categories',
      '/api/products/export',
      '/api/products/import',
      '/api/products/{id}',
      '/api/products/{id}/stock',
      '/api/products/{id}/stock-movements',
    ]);
    const create = body.paths['/api/products'].post;
    const resolved = (schema: { $ref?: string }) =>
      schema.$ref === undefined ? schema : body.components.schemas[schema.$ref.split('/').at(-1) ?? ''];
    const schema = resolved(create.requestBody.content['application/json'].schema);
    expect(schema.required).toEqual(['name', 'price']);
    expect(Object.keys(schema.properties)).toEqual(
      expect.arrayContaining(['name', 'price', 'stock', 'category', 'description', 'sku', 'image_url']),
    );
    const { parameters } = body.paths['/api/products'].get;
    expect(parameters.map(({ name }: { name: string }) => name)).toEqual(
      expect.arrayContaining(['page', 'per_page', 'cursor', 'category', 'ids', 'sort', 'in_stock']),
    );
    const response = resolved(
      body.paths['/api/products/{id}'].get.responses[200].content['application/json'].schema,
    );
    expect(Object.keys(resolved(response.properties.product).properties)).toEqual(
      expect.arrayContaining(['price', 'currency', 'stock', 'version']),
    );
    expect(create.responses[409]).toEqual({ $ref: '#/components/responses/SkuTaken' });
  });

  test('/docs works without another host', async () => {
    const page = await request(shop.app).get('/docs').expect(200);
    expect(page.text).not.toMatch(/https?:\/\//);
  });

  test('the metrics count cache reads and requests', async () => {
    const { id } = await createProduct(shop.app);
    await request(shop.app).get(`/api/products/${id}`).expect(200);
    await request(shop.app).get(`/api/products/${id}`).expect(200);
    const { text } = await request(shop.app).get('/metrics').expect(200);
    expect(text).toMatch(
      /cache_reads_total\{cache="product",result="(?:memory|redis)",service="product-service"\} [1-9]/,
    );
    expect(text).toMatch(
      /http_request_duration_seconds_count\{.*route="\/api\/products\/:id",status="200"\} 2/,
    );
  });
});

describe('limits', () => {
  test('are reported on every response, and applied', async () => {
    const env = {
      RATE_LIMIT_ENABLED: 'true',
      RATE_LIMIT_CATALOGUE_READS: '3/60',
      RATE_LIMIT_CATALOGUE_WRITES: '1/60',
    };
    const limited = await shop.startReplica({ env });
    const statuses: number[] = [];
    for (let i = 0; i < 4; i += 1) {
      const response = await request(limited.app).get('/api/products');
      expect(response.headers['ratelimit']).toContain('"catalogue-reads"');
      expect(response.headers['ratelimit-policy']).toContain('q=3; w=60');
      statuses.push(response.status);
    }
    expect(statuses).toEqual([200, 200, 200, 429]);
    const write = () =>
      request(limited.app).post('/api/products').set('Authorization', seller()).send({ name: 'x' });
    await write().expect(400);
    const refused = await write().expect(429);
    expect(refused.body.code).toBe('rate_limited');
    expect(refused.headers['retry-after']).toMatch(/^\d+$/);
  });

  test('are 600 reads and 60 writes a minute by default', () => {
    const config = loadProductConfig({
      DATABASE_URL: 'postgres://x',
      JWT_SECRET_KEY: 'x',
      SERVICE_TOKEN_SECRET: 'y',
    });
    expect(config.limits).toEqual({
      catalogue_files: { max: 10, seconds: 60, withoutRedis: 'count' },
      catalogue_reads: { max: 600, seconds: 60, withoutRedis: 'pass' },
      catalogue_writes: { max: 60, seconds: 60, withoutRedis: 'pass' },
    });
    expect(config).toMatchObject({ PORT: 5002, PRODUCT_CREATION: 'open', CURRENCY: 'USD' });
  });
});

describe('configuration', () => {
  test('is refused with every missing or invalid variable listed', () => {
    const load = () => loadProductConfig({ PRODUCT_CREATION: 'nobody', PORT: '70000' });
    for (const line of [
      'DATABASE_URL is missing',
      'JWT_SECRET_KEY or JWKS_URL must be set, and not both',
      'PORT: ',
      'PRODUCT_CREATION: ',
    ]) {
      expect(load).toThrow(line);
    }
  });

  test.each(['JWT_SECRET_KEY', 'SERVICE_TOKEN_SECRET'])('refuses a weak %s in production', (name) => {
    const env = {
      DATABASE_URL: 'postgres://x',
      JWT_SECRET_KEY: 'j'.repeat(32),
      SERVICE_TOKEN_SECRET: 's'.repeat(32),
      USER_SERVICE_URL: 'http://user-service:5001',
      NODE_ENV: 'production',
    };
    expect(loadProductConfig(env).NODE_ENV).toBe('production');
    expect(() => loadProductConfig({ ...env, [name]: 'short' })).toThrow(name);
  });

  test.each(['SERVICE_TOKEN_SECRET', 'USER_SERVICE_URL'])('needs %s in production only', (name) => {
    const env = {
      DATABASE_URL: 'postgres://x',
      JWT_SECRET_KEY: 'j'.repeat(32),
      SERVICE_TOKEN_SECRET: 's'.repeat(32),
      USER_SERVICE_URL: 'http://user-service:5001',
      [name]: '',
    };
    expect(() => loadProductConfig({ ...env, NODE_ENV: 'production' })).toThrow(`${name} is missing`);
    expect(loadProductConfig(env).NODE_ENV).toBe('development');
  });
});

test('only routes that hash passwords, and streams, have a time limit of their own', () => {
  const limited = declaredRoutes(shop.app).flatMap(({ method, path, timeLimit }) =>
    timeLimit === undefined ? [] : [`${timeLimit}: ${method.toUpperCase()} ${path}`],
  );
  expect(limited.sort()).toEqual(['steps: GET /api/products/export']);
});
