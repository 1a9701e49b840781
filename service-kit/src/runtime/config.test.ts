import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import {
  accountsConfig,
  ConfigError,
  commonConfig,
  loadConfig,
  requireStrongSecret,
  serviceTokenSecretOf,
} from './config.ts';
import { limitsConfig } from './limits.config.ts';
import { loadReaderConfig, readerConfig } from './reader.config.ts';

const schema = z.object(commonConfig);
const least = { DATABASE_URL: 'postgresql://db/x' };
const errorOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error('nothing was refused');
};

describe('the environment', () => {
  test('needs two variables; the others have defaults', () => {
    expect(loadConfig(schema, { ...least, UNRELATED: 'x' })).toEqual({
      ...least,
      NODE_ENV: 'development',
      PORT: 0,
      DATABASE_POOL: 10,
      DATABASE_PREPARED: true,
      LOG_LEVEL: 'info',
      CURRENCY: 'USD',
      CORS_ORIGINS: '*',
      TRUST_PROXY: 0,
      RATE_LIMIT_ENABLED: true,
      DRAIN_DELAY: 0,
      DRAIN_TIMEOUT: 8000,
      JOB_MAX_BACKOFF: 30,
      JOB_ABANDONED_AFTER: 40,
      TIME_LIMIT_FACTOR: 1,
      OTEL_TRACES_SAMPLER_ARG: 1,
    });
  });

  test('lets a failed or lost job run again well within the minute that invariant I3 gives to all of them', () => {
    const { JOB_MAX_BACKOFF, JOB_ABANDONED_AFTER } = loadConfig(schema, least);
    expect(Math.max(JOB_MAX_BACKOFF, JOB_ABANDONED_AFTER)).toBeLessThanOrEqual(45);
  });

  test('lets the copy of account changes be a minute old', () => {
    expect(loadConfig(z.object(accountsConfig), {})).toEqual({ ACCOUNTS_STALE_AFTER: 60 });
  });

  test('treats an empty variable as not set', () => {
    expect(loadConfig(schema, { ...least, PORT: '', REDIS_URL: '' })).toMatchObject({ PORT: 0 });
    expect(errorOf(() => loadConfig(schema, { DATABASE_URL: '' }))).toBe('DATABASE_URL is missing');
  });

  test('is refused with one line for each invalid variable, never with a value', () => {
    const message = errorOf(() =>
      loadConfig(schema, {
        DATABASE_URL: 'mysql://hunter2',
        REDIS_URL: 'hunter2',
        NODE_ENV: 'hunter2',
        PORT: 'hunter2',
        TRUST_PROXY: '11',
        CURRENCY: 'hunter2',
        RATE_LIMIT_ENABLED: 'hunter2',
        LOG_LEVEL: 'hunter2',
        DRAIN_TIMEOUT: '-1',
      }),
    );
    expect(message).not.toContain('hunter2');
    expect(
      message
        .split('\n')
        .map((line) => line.split(/[ :]/)[0])
        .sort(),
    ).toEqual([
      'CURRENCY',
      'DATABASE_URL',
      'DRAIN_TIMEOUT',
      'LOG_LEVEL',
      'NODE_ENV',
      'PORT',
      'RATE_LIMIT_ENABLED',
      'REDIS_URL',
      'TRUST_PROXY',
    ]);
    expect(message).toContain('DATABASE_URL: must be a postgresql:// address');
    expect(message).toContain('PORT: must be a whole number');
    expect(message).toContain('TRUST_PROXY: must be from 0 to 10');
  });

  test.each([
    ['DATABASE_URL', 'postgresql://user:hunter#2@db/x'],
    ['DATABASE_URL', 'postgresql://user:hunter2@db1:5432,db2:port/x'],
    ['DATABASE_DIRECT_URL', 'postgresql://user:hunter2@db:99999/x'],
    ['REDIS_URL', 'redis://user:hunter2%zz@redis'],
    ['REDIS_URL', 'redis://redis:99999'],
    ['REDIS_URL', 'redis+sentinel://user:hunter2%zz@s1/shop'],
    ['REDIS_URL', 'redis+sentinel://s1:port/shop'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'key=hunter2%zz'],
    ['CORS_ORIGINS', 'hunter2.example.com'],
    ['CORS_ORIGINS', 'https://a.example, https://hunter2.example/'],
  ])('is refused if %s cannot be read: %s', (name, value) => {
    const message = errorOf(() => loadConfig(schema, { ...least, [name]: value }));
    expect(message).toMatch(new RegExp(`^${name}: `));
    expect(message).not.toContain('hunter');
  });

  test.each([
    'postgresql:///x?host=/var/run/postgresql',
    'postgresql://user:hunter2@[::1]:5432,db2/x?target_session_attrs=read-write',
    'postgresql://user@%2Fvar%2Frun%2Fpostgresql/x',
  ])('takes the address %s', (DATABASE_URL) => {
    expect(loadConfig(schema, { DATABASE_URL }).DATABASE_URL).toBe(DATABASE_URL);
  });

  test.each(['*', 'https://a.example,http://localhost:3000', 'https://a.example, capacitor://localhost'])(
    'takes the origins %s',
    (CORS_ORIGINS) => {
      expect(loadConfig(schema, { ...least, CORS_ORIGINS }).CORS_ORIGINS).toBe(CORS_ORIGINS);
    },
  );

  test('can be refused for a combination of variables', () => {
    const both = z
      .object({ A: z.string(), B: z.string() })
      .refine(({ A, B }) => A !== B, 'A and B must differ');
    expect(errorOf(() => loadConfig(both, { A: '1', B: '1' }))).toBe('A and B must differ');
  });
});

describe('limits in the environment', () => {
  const limits = limitsConfig({
    login: { max: 10, seconds: 60, withoutRedis: 'count', perAddress: true },
    order_reads: { max: 300, seconds: 60, withoutRedis: 'pass' },
  });
  const withLimits = z.object(limits.shape);

  test('are taken from the variables, else the defaults', () => {
    const env = loadConfig(withLimits, { RATE_LIMIT_ORDER_READS: '5/3600' });
    expect(limits.read(env)).toEqual({
      login: { max: 10, seconds: 60, withoutRedis: 'count', perAddress: true },
      order_reads: { max: 5, seconds: 3600, withoutRedis: 'pass' },
    });
  });

  test.each(['5', '0/60', '5/0', '-1/60', '5/60/2', 'a/b', '5/9999999'])('refuse %s', (value) => {
    expect(errorOf(() => loadConfig(withLimits, { RATE_LIMIT_LOGIN: value }))).toBe(
      'RATE_LIMIT_LOGIN: must be <count>/<seconds>, such as 5/60',
    );
  });
});

describe('the service token secret', () => {
  test('is the variable, else derived from the token secret', () => {
    const secrets = { SERVICE_TOKEN_SECRET: 'own', JWT_SECRET_KEY: 'dev-secret' };
    expect(serviceTokenSecretOf(secrets)).toBe('own');
    const [one, two, other] = ['dev-secret', 'dev-secret', 'other'].map((JWT_SECRET_KEY) =>
      serviceTokenSecretOf({ JWT_SECRET_KEY }),
    );
    expect(one).toBe(two);
    expect(one).not.toBe(other);
    expect(one).not.toContain('dev-secret');
    expect(errorOf(() => serviceTokenSecretOf({}))).toBe('SERVICE_TOKEN_SECRET is missing');
  });
});

describe('a secret in production', () => {
  test('must be long, in bytes', () => {
    expect(errorOf(() => requireStrongSecret('KEY', 'x'.repeat(31), 'production'))).toMatch(
      /^KEY .*32 bytes/,
    );
    expect(() => requireStrongSecret('KEY', 'ä'.repeat(16), 'production')).not.toThrow();
  });

  test('must not be a published one', () => {
    const published = 'your-secret-key-change-in-production';
    expect(errorOf(() => requireStrongSecret('KEY', published, 'production'))).toMatch(/published default/);
    expect(() => requireStrongSecret('KEY', published, 'development')).not.toThrow();
  });

  test('must not be a hash of a published one', () => {
    const hashes = (text: string) =>
      ['sha256', 'sha1', 'md5'].flatMap((algorithm) => {
        const digest = createHash(algorithm).update(text).digest();
        return [digest.toString('hex'), digest.toString('hex').toUpperCase(), digest.toString('base64')];
      });
    for (const secret of ['your-secret-key-change-in-production', 'change-me\n'].flatMap(hashes)) {
      expect(errorOf(() => requireStrongSecret('KEY', secret, 'production'))).toMatch(/published default/);
    }
  });

  test('may be missing', () => {
    expect(() => requireStrongSecret('KEY', undefined, 'production')).not.toThrow();
  });
});

describe('the key that verifies tokens', () => {
  const load = (env: NodeJS.ProcessEnv) => loadReaderConfig(z.object(readerConfig), env);
  const others = { ...least, SERVICE_TOKEN_SECRET: 's' };
  const both = 'JWT_SECRET_KEY or JWKS_URL must be set, and not both';

  test('is a secret or the address of public keys', () => {
    const url = 'http://users/.well-known/jwks.json';
    expect(load({ ...others, JWT_SECRET_KEY: 'k' })).toMatchObject({ JWT_SECRET_KEY: 'k' });
    expect(load({ ...others, JWKS_URL: url })).toMatchObject({ JWKS_URL: url });
    expect(errorOf(() => load({ ...others, JWT_SECRET_KEY: 'k', JWKS_URL: url }))).toBe(both);
    expect(errorOf(() => load({ ...others, JWKS_URL: 'file:///etc/keys' }))).toBe(
      'JWKS_URL: must be an http:// address',
    );
  });

  test('is reported as missing together with other missing variables', () => {
    expect(errorOf(() => load({}))).toBe(`DATABASE_URL is missing\n${both}`);
  });
});
