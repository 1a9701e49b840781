import { describe, expect, test } from '@jest/globals';
import { loadUserConfig } from './config.ts';

const needed = { DATABASE_URL: 'postgresql://localhost/user_db', JWT_SECRET_KEY: 'dev-secret' };
const admin = { ADMIN_USERNAME: 'root', ADMIN_EMAIL: 'root@example.com', ADMIN_PASSWORD: 'securepass123' };

describe('the configuration', () => {
  test('has the defaults of the contract', () => {
    const config = loadUserConfig(needed);
    expect(config).toMatchObject({
      PORT: 5001,
      ACCESS_TOKEN_LIFETIME: 3600,
      REFRESH_TOKEN_LIFETIME: 2_592_000,
      BCRYPT_COST: 12,
      PASSWORD_MIN_LENGTH: 8,
      loginFailures: { max: 10, seconds: 900 },
      admin: undefined,
    });
    expect(config.limits).toMatchObject({
      register: { max: 5, seconds: 60, withoutRedis: 'count', perAddress: true },
      login: { max: 10, seconds: 60 },
      user_reads: { max: 300, seconds: 60, withoutRedis: 'pass' },
    });
    expect(config.limits).not.toHaveProperty('login_failures');
  });

  test('takes limits from the environment', () => {
    const config = loadUserConfig({ ...needed, RATE_LIMIT_LOGIN_FAILURES: '3/60', RATE_LIMIT_LOGIN: '7/8' });
    expect(config.loginFailures).toMatchObject({ max: 3, seconds: 60 });
    expect(config.limits['login']).toMatchObject({ max: 7, seconds: 8 });
  });

  test('names what is missing or wrong, a line for each', () => {
    expect(() => loadUserConfig({ BCRYPT_COST: '99' })).toThrow(
      'DATABASE_URL is missing\nJWT_SECRET_KEY is missing\nBCRYPT_COST: must be from 4 to 20',
    );
    expect(() => loadUserConfig({ ...needed, ACCESS_TOKEN_LIFETIME: '3601' })).toThrow(
      'ACCESS_TOKEN_LIFETIME',
    );
  });

  test('refuses a published secret in production', () => {
    expect(() => loadUserConfig({ ...needed, NODE_ENV: 'production' })).toThrow('JWT_SECRET_KEY');
  });

  test('takes a first admin who obeys the rules, whole or not at all', () => {
    expect(loadUserConfig({ ...needed, ...admin }).admin).toEqual({
      username: 'root',
      email: 'root@example.com',
      password: 'securepass123',
    });
    expect(() => loadUserConfig({ ...needed, ADMIN_USERNAME: 'root' })).toThrow(
      'ADMIN_EMAIL is missing\nADMIN_PASSWORD is missing',
    );
    expect(() => loadUserConfig({ ...needed, ...admin, ADMIN_PASSWORD: 'short' })).toThrow(
      'ADMIN_PASSWORD: Password must be at least 8 characters',
    );
  });
});
