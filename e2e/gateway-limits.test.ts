import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

const read = (file: string) => readFileSync(new URL(`../deploy/gateway/${file}`, import.meta.url), 'utf8');
/** Seconds within which the services respond (docs/http-api.md). */
const LIMITS = { usual: 2, passwords: 12 };

const withoutConditions = (text: string) => text.replace(/if \([^)]*\) \{[^}]*\}/g, '');
const secondsIn = (text: string) => Number(/proxy_read_timeout (\d+)s;/.exec(text)?.[1] ?? Number.NaN);

const usual = secondsIn(read('nginx.conf'));
/** The locations of a service, in their order, with their time limits. */
const locations = [
  ...withoutConditions(read('service.conf')).matchAll(/^location (\S+ )?(\S+) \{([^}]*)\}/gm),
].map(([, kind = '', name = '', body = '']) => ({
  kind: kind.trim(),
  name,
  seconds: secondsIn(body) || usual,
}));

/** As nginx chooses: the first regular expression that matches, else the prefix `/`. */
function secondsFor(path: string): number {
  const found =
    locations.find(({ kind, name }) => kind === '~*' && new RegExp(name, 'i').test(path)) ??
    locations.find(({ kind, name }) => kind === '' && name === '/');
  return Number(found?.seconds);
}

test.each(['register', 'login', 'me/password', 'password-reset', 'password-reset/confirm'])(
  'the gateway waits longer for /api/users/%s than the service takes',
  (path) => expect(secondsFor(`/api/users/${path}`)).toBeGreaterThan(LIMITS.passwords),
);

test.each(['/api/users/me', '/api/products', '/api/products/7', '/api/products/import', '/api/orders'])(
  'the gateway waits longer for %s than the service takes',
  (path) => expect(secondsFor(path)).toBeGreaterThan(LIMITS.usual),
);

test('the gateway waits longer for changes that are sent once, a new password among them', () => {
  const once = locations.find(({ name }) => name === '@once');
  expect(once?.seconds).toBeGreaterThan(LIMITS.passwords);
});

test('the gateway bounds its waiting times', () => {
  expect(locations.length).toBeGreaterThan(4);
  for (const { seconds } of locations) expect(seconds).toBeLessThanOrEqual(60);
});
