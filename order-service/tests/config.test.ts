import { describe, expect, test } from '@jest/globals';
import { loadOrderConfig } from '../src/config.ts';

const ENV = {
  DATABASE_URL: 'postgresql://user:password@localhost:5432/order_db',
  JWT_SECRET_KEY: 'k'.repeat(32),
  SERVICE_TOKEN_SECRET: 's'.repeat(32),
  PRODUCT_SERVICE_URL: 'http://product-service:5002',
  USER_SERVICE_URL: 'http://user-service:5001',
};

describe('the environment', () => {
  test('has defaults except for addresses and secrets', () => {
    expect(loadOrderConfig(ENV)).toMatchObject({ PORT: 5003, CURRENCY: 'USD', PLACEMENT_DEADLINE: 30 });
    expect(loadOrderConfig(ENV).limits['order_create']).toEqual({
      max: 30,
      seconds: 60,
      withoutRedis: 'pass',
    });
    expect(loadOrderConfig({ ...ENV, RATE_LIMIT_ORDER_CREATE: '7/5' }).limits['order_create']).toMatchObject({
      max: 7,
      seconds: 5,
    });
  });

  test('is refused with every missing or invalid variable listed', () => {
    expect(() => loadOrderConfig({ PRODUCT_SERVICE_URL: 'ftp://x' })).toThrow(
      /DATABASE_URL is missing\n[\s\S]*PRODUCT_SERVICE_URL: must be an http[\s\S]*JWT_SECRET_KEY or JWKS_URL/,
    );
  });

  test('needs three variables in development', () => {
    const { DATABASE_URL, JWT_SECRET_KEY } = ENV;
    const config = loadOrderConfig({ DATABASE_URL, JWT_SECRET_KEY, REDIS_URL: 'redis://localhost:6379/0' });
    expect(config.PRODUCT_SERVICE_URL).toBe('http://localhost:5002');
    expect(config.USER_SERVICE_URL).toBeUndefined();
    expect(config.SERVICE_TOKEN_SECRET).toMatch(/^[0-9a-f]{64}$/);
  });

  test.each(['SERVICE_TOKEN_SECRET', 'USER_SERVICE_URL', 'PRODUCT_SERVICE_URL'])(
    'needs %s in production',
    (name) => {
      const env = { ...ENV, NODE_ENV: 'production', [name]: '' };
      expect(() => loadOrderConfig(env)).toThrow(`${name} is missing`);
    },
  );

  test.each(['JWT_SECRET_KEY', 'SERVICE_TOKEN_SECRET'])('refuses a weak %s in production', (name) => {
    expect(() => loadOrderConfig({ ...ENV, NODE_ENV: 'production', [name]: 'short' })).toThrow(name);
    expect(() => loadOrderConfig({ ...ENV, NODE_ENV: 'production' })).not.toThrow();
  });
});
