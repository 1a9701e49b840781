import { generateKeyPairSync } from 'node:crypto';
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
      BCRYPT_COST: 10,
      PASSWORD_MIN_LENGTH: 8,
      loginFailures: { account: { max: 10, seconds: 900 }, address: { max: 50, seconds: 900 } },
      PASSWORD_REFUSE_COMMON: false,
      REQUIRE_VERIFIED_EMAIL: false,
      AUDIT_RETENTION_DAYS: 365,
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
    const config = loadUserConfig({
      ...needed,
      RATE_LIMIT_LOGIN_FAILURES: '3/60',
      RATE_LIMIT_LOGIN_FAILURES_ADDRESS: '4/50',
      RATE_LIMIT_LOGIN: '7/8',
    });
    expect(config.loginFailures).toMatchObject({
      account: { max: 3, seconds: 60 },
      address: { max: 4, seconds: 50 },
    });
    expect(config.limits['login']).toMatchObject({ max: 7, seconds: 8 });
  });

  test('names what is missing or wrong, a line for each', () => {
    expect(() => loadUserConfig({ BCRYPT_COST: '99' })).toThrow(
      'DATABASE_URL is missing\nBCRYPT_COST: must be from 4 to 20\nJWT_SECRET_KEY or JWT_PRIVATE_KEY must be set',
    );
    expect(() => loadUserConfig({ ...needed, ACCESS_TOKEN_LIFETIME: '3601' })).toThrow(
      'ACCESS_TOKEN_LIFETIME',
    );
  });

  test('refuses a published secret in production', () => {
    expect(() => loadUserConfig({ ...needed, NODE_ENV: 'production' })).toThrow('JWT_SECRET_KEY');
  });

  test('takes a P-256 key in PEM, also on one line, instead of the secret or together with it', () => {
    const { DATABASE_URL } = needed;
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    const publicPem = pair.publicKey.export({ format: 'pem', type: 'spki' }).toString();
    for (const text of [pem, pem.replaceAll('\n', '\\n')]) {
      const { JWT_PRIVATE_KEY } = loadUserConfig({
        DATABASE_URL,
        JWT_PRIVATE_KEY: text,
        SERVICE_TOKEN_SECRET: 's',
      });
      expect(JWT_PRIVATE_KEY?.equals(pair.privateKey)).toBe(true);
    }
    const further = publicPem.replaceAll('\n', '\\n') + publicPem;
    expect(loadUserConfig({ ...needed, JWT_VERIFICATION_KEYS: further }).JWT_VERIFICATION_KEYS).toHaveLength(
      2,
    );
  });

  test('refuses other keys, without showing them', () => {
    const pemOf = (curve: string, type: 'privateKey' | 'publicKey') =>
      generateKeyPairSync('ec', { namedCurve: curve })
        [type].export({ format: 'pem', type: type === 'publicKey' ? 'spki' : 'pkcs8' } as never)
        .toString();
    for (const key of ['hunter2', pemOf('P-384', 'privateKey'), pemOf('P-256', 'publicKey')]) {
      expect(() => loadUserConfig({ ...needed, JWT_PRIVATE_KEY: key })).toThrow(
        /^JWT_PRIVATE_KEY: must be an EC P-256 private key in PEM$/,
      );
    }
    for (const keys of ['hunter2', pemOf('P-384', 'publicKey'), pemOf('P-256', 'privateKey')]) {
      expect(() => loadUserConfig({ ...needed, JWT_VERIFICATION_KEYS: keys })).toThrow(
        /^JWT_VERIFICATION_KEYS: must be EC P-256 public keys in PEM$/,
      );
    }
  });

  test('wants a mail server in production, and only there', () => {
    const secrets = { JWT_SECRET_KEY: 'x'.repeat(32), SERVICE_TOKEN_SECRET: 's'.repeat(32) };
    const env = { ...needed, ...secrets, NODE_ENV: 'production' };
    expect(() => loadUserConfig({ ...env, SERVICE_TOKEN_SECRET: '' })).toThrow(
      'SERVICE_TOKEN_SECRET is missing',
    );
    expect(() => loadUserConfig(env)).toThrow('SMTP_URL is missing');
    const SMTP_URL = 'smtps://user:password@mail.example.com:465';
    expect(loadUserConfig({ ...env, SMTP_URL })).toMatchObject({ SMTP_URL });
    expect(loadUserConfig(needed).SMTP_URL).toBeUndefined();
  });

  test('names who mails and where their links lead', () => {
    expect(loadUserConfig(needed)).toMatchObject({
      SHOP_URL: 'http://localhost:3000',
      mailFrom: 'Shop <no-reply@localhost>',
    });
    const config = loadUserConfig({ ...needed, SHOP_URL: 'https://shop.example/store/' });
    expect(config).toMatchObject({
      SHOP_URL: 'https://shop.example/store',
      mailFrom: 'Shop <no-reply@shop.example>',
    });
    expect(loadUserConfig({ ...needed, MAIL_FROM: 'help@shop.example' }).mailFrom).toBe('help@shop.example');
    const wrong = {
      SMTP_URL: 'mail.example.com',
      MAIL_FROM: 'a@b\nBcc: c@d',
      SHOP_URL: 'ftp://shop.example',
    };
    for (const [name, value] of Object.entries(wrong)) {
      expect(() => loadUserConfig({ ...needed, [name]: value })).toThrow(name);
    }
  });

  test('holds the first admin to the rule about common passwords', () => {
    const common = { ...needed, ...admin, ADMIN_PASSWORD: 'password123' };
    expect(loadUserConfig(common).admin).toMatchObject({ password: 'password123' });
    expect(() => loadUserConfig({ ...common, PASSWORD_REFUSE_COMMON: 'true' })).toThrow(
      'ADMIN_PASSWORD: Password is too common',
    );
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
