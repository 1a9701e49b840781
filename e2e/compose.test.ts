import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { settingNames } from '../docs/generators/settings.ts';

interface Container {
  environment?: Record<string, string | null>;
  ports?: string[];
  volumes?: string[];
  profiles?: string[];
  logging?: { options?: Record<string, string> };
  pids_limit?: number;
  mem_limit?: string;
}

const FILE = new URL('../docker-compose.yml', import.meta.url);
const { services }: { services: Record<string, Container> } = parse(readFileSync(FILE, 'utf8'), {
  merge: true,
});
/** Addresses, secrets and the build, which compose or the image sets itself, and what would close the container's port. */
const NOT_PASSED_ON = new Set([
  ...['DATABASE_URL', 'DATABASE_DIRECT_URL', 'REDIS_URL', 'JWT_SECRET_KEY', 'SERVICE_TOKEN_SECRET'],
  ...['PORT', 'HOST', 'TRUST_PROXY', 'USER_SERVICE_URL', 'PRODUCT_SERVICE_URL'],
  ...['BUILD_VERSION', 'BUILD_REVISION'],
]);
const MOUNTED = '/run/secrets/';
/** Settings with a value in every deployment. */
const PASSED_ON_WITH_VALUE = new Set(['NODE_ENV']);

describe('docker-compose.yml', () => {
  test.each(Object.entries(settingNames()))(
    'passes all settings on to %s, and no others',
    (name, settings) => {
      const { environment = {} } = services[name] ?? {};
      const passedOn = Object.keys(environment).filter(
        (variable) => environment[variable] === null || PASSED_ON_WITH_VALUE.has(variable),
      );
      const wanted = settings.filter((setting) => !NOT_PASSED_ON.has(setting));
      expect(passedOn.filter((variable) => !variable.endsWith('_FILE')).toSorted()).toEqual(
        wanted.toSorted(),
      );
      // A file may hold the value of a setting, of no other variable.
      const files = Object.keys(environment).flatMap((variable) => variable.match(/^(.+)_FILE$/)?.[1] ?? []);
      expect(files.filter((setting) => !settings.includes(setting))).toEqual([]);
    },
  );

  test.each(['user', 'product', 'order'])('migrates as the owner, serves as another role: %s', (name) => {
    const mounted = (container: string) => services[container]?.volumes;
    expect(services[`${name}-migrate`]?.environment).toEqual({
      DATABASE_URL_FILE: '/run/secrets/database_url',
      DATABASE_SERVICE_ROLE: `${name}_service`,
    });
    expect(mounted(`${name}-migrate`)).toEqual([`${name}-owner-secrets:/run/secrets:ro`]);
    expect(mounted(`${name}-service`)).toEqual([`${name}-secrets:/run/secrets:ro`]);
  });

  test('writes no secret into an environment', () => {
    const values = Object.values(services).flatMap(({ environment = {} }) => Object.entries(environment));
    const secrets = values.filter(
      ([name, value]) =>
        /SECRET|PASSWORD|TOKEN|_URL$|PEPPER|PRIVATE/.test(name) &&
        value !== null &&
        !value.startsWith(MOUNTED),
    );
    expect(secrets.map(([name, value]) => `${name}=${value}`).toSorted()).toEqual([
      'PRODUCT_SERVICE_URL=http://product-service:5002',
      'USER_SERVICE_URL=http://user-service:5001',
      'USER_SERVICE_URL=http://user-service:5001',
    ]);
  });

  test('opens ports on this machine only, unless BIND_ADDRESS is set', () => {
    const ports = Object.values(services).flatMap((service) => service.ports ?? []);
    expect(ports.length).toBeGreaterThan(4);
    expect(ports.filter((port) => !/^(\$\{BIND_ADDRESS:-127\.0\.0\.1\}|127\.0\.0\.1):/.test(port))).toEqual(
      [],
    );
  });

  test('bounds processes, memory and logs of every container', () => {
    const unbounded = Object.entries(services).filter(
      ([, { pids_limit: pids, mem_limit: memory, logging }]) =>
        pids === undefined || memory === undefined || logging?.options?.['max-size'] === undefined,
    );
    expect(unbounded.map(([name]) => name)).toEqual([]);
  });
});
