import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startRedisProcess } from '@shop/service-kit/testing/redis-process';
import { Redis } from 'ioredis';
import { addProducts, tokenOf } from './support/catalogue.ts';
import { call } from './support/http.ts';
import { startStack } from './support/stack.ts';

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL('../deploy/secrets.sh', import.meta.url));
const SERVICES = ['user', 'product', 'order'];
/** Folders of the roles that migrate. */
const OWNERS = SERVICES.map((service) => `${service}-owner`);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shop-secrets-'));
  for (const name of [...SERVICES, ...OWNERS, 'kept', 'postgres', 'redis']) await mkdir(join(folder, name));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const writeSecrets = (env: Record<string, string> = {}) =>
  run('sh', [SCRIPT], { env: { PATH: process.env['PATH'] ?? '', SECRETS_FOLDER: folder, ...env } });
const read = (path: string) => readFile(join(folder, path), 'utf8');
const kept = async () =>
  Object.fromEntries(
    await Promise.all(
      (await readdir(join(folder, 'kept'))).map(async (name) => [name, await read(`kept/${name}`)]),
    ),
  ) as Record<string, string>;

test('secrets are made once, and replaced by those that are given', async () => {
  await writeSecrets();
  const first = await kept();
  expect(Object.keys(first)).toHaveLength(13);
  expect(new Set(Object.values(first)).size).toBe(13);
  for (const value of Object.values(first)) expect(value).toMatch(/^[0-9a-f]{64}$/);
  await writeSecrets();
  expect(await kept()).toEqual(first);
  const given = 'given-by-the-operator-and-long-enough';
  await writeSecrets({ JWT_SECRET_KEY: given });
  expect(await kept()).toEqual({ ...first, jwt_secret_key: given });
  for (const service of SERVICES) expect(await read(`${service}/jwt_secret_key`)).toBe(given);
  await writeSecrets({ JWKS_URL: 'http://user-service:5001/.well-known/jwks.json' });
  for (const service of SERVICES) expect(await read(`${service}/jwt_secret_key`)).toBe('');
  await writeSecrets();
});

test('what a killed run has left does not hold up the next one', async () => {
  await writeSecrets();
  const before = await kept();
  // As a file that it may not write to: root without capabilities, as in its container, may not.
  await symlink(join(folder, 'none', 'none'), join(folder, 'user', 'database_url.new'));
  await symlink(join(folder, 'none', 'none'), join(folder, 'kept', 'jwt_secret_key.new'));
  await writeSecrets({ JWT_SECRET_KEY: 'given-after-a-run-that-was-killed' });
  expect(await kept()).toEqual({ ...before, jwt_secret_key: 'given-after-a-run-that-was-killed' });
});

test('each container gets its own, which only its user can read', async () => {
  await writeSecrets();
  const all = await kept();
  for (const service of SERVICES) {
    const files = await readdir(join(folder, service));
    expect(files.toSorted()).toEqual(['database_url', 'jwt_secret_key', 'redis_url', 'service_token_secret']);
    const texts = await Promise.all(files.map((file) => read(`${service}/${file}`)));
    for (const other of SERVICES.filter((name) => name !== service))
      for (const kind of ['db_password', 'redis_password'])
        expect(texts.join()).not.toContain(all[`${other}_${kind}`]);
    for (const name of SERVICES) expect(texts.join()).not.toContain(all[`${name}_owner_password`]);
    expect(await readdir(join(folder, `${service}-owner`))).toEqual(['database_url']);
    expect(await read(`${service}-owner/database_url`)).toBe(
      `postgresql://${service}_owner:${all[`${service}_owner_password`]}@postgres:5432/${service}_db`,
    );
    for (const file of files) expect((await stat(join(folder, service, file))).mode & 0o777).toBe(0o400);
  }
  expect(await read('redis/users.acl')).not.toContain(all['user_redis_password']);
});

test('a service may do in Redis what it does, and no more', async () => {
  await writeSecrets();
  const admin = 'user admin on >admin ~* &* +@all\n';
  const acl = join(folder, 'with-admin.acl');
  await writeFile(acl, (await read('redis/users.acl')) + admin);
  const redis = await startRedisProcess(undefined, ['--aclfile', acl]);
  const urls = new Map<string, string>();
  for (const service of SERVICES)
    urls.set(service, (await read(`${service}/redis_url`)).replace('redis:6379', new URL(redis.url).host));
  const stack = await startStack({
    redisUrl: redis.url,
    env: { RATE_LIMIT_ENABLED: 'true' },
    envOf: async (service) => ({ REDIS_URL: urls.get(service.replace('-service', '')) ?? '' }),
  });
  const asAdmin = new Redis(redis.url.replace('//', '//admin:admin@'));
  try {
    const account = { username: 'buyer', email: 'buyer@example.com', password: 'securepass123' };
    const { body } = await call('POST', `${stack.user.url}/api/users/register`, account);
    const token = String(body['tokens']?.['access_token']);
    await call('POST', `${stack.user.url}/api/users/login`, {
      username: 'buyer',
      password: 'wrong password',
    });
    await call('POST', `${stack.user.url}/api/users/login`, {
      username: 'buyer',
      password: account.password,
    });
    await call('PUT', `${stack.user.url}/api/users/me`, { email: 'other@example.com' }, { token });
    const [id = 0] = await addProducts(stack.product.databaseUrl, 3, 10);
    const place = { products: [{ product_id: id, quantity: 1 }] };
    const seller = { token: tokenOf(1) };
    const placed = await call('POST', `${stack.order.url}/api/orders`, place, { token });
    expect(placed.status).toBe(201);
    await call('PUT', `${stack.product.url}/api/products/${id}`, { name: 'Renamed' }, seller);
    for (let times = 0; times < 2; times++)
      for (const [url, path] of [
        [stack.user.url, '/api/users/me'],
        [stack.product.url, '/api/products'],
        [stack.product.url, '/api/products?category=Test&sort=-price'],
        [stack.product.url, '/api/products/categories'],
        [stack.product.url, `/api/products/${id}`],
        [stack.order.url, '/api/orders'],
        [stack.order.url, `/api/orders/${placed.body['order']?.['id']}`],
      ])
        expect([path, (await call('GET', `${url}${path}`, undefined, { token })).status]).toEqual([
          path,
          200,
        ]);
    for (const { url } of [stack.user, stack.product, stack.order])
      expect((await call('GET', `${url}/ready`)).body).toMatchObject({ status: 'ready' });
    expect(await asAdmin.call('ACL', 'LOG')).toEqual([]);
    const kinds = (await asAdmin.keys('*')).map((key) => key.replace(/:[0-9a-f]{40}:/, ':RUN:'));
    for (const kind of ['users', 'product', 'product_list', 'orders'])
      expect(kinds).toContainEqual(expect.stringContaining(`shop:cache:RUN:${kind}:`));
    for (const kind of ['limit:register:', 'limit:catalogue_reads:', 'limit:order_create:', 'failures:'])
      expect(kinds).toContainEqual(expect.stringContaining(`shop:${kind}`));

    const asOrder = new Redis(urls.get('order') ?? '');
    const [someone = ''] = (await asAdmin.keys('*')).filter((key) => key.includes(':users:'));
    await expect(asOrder.hgetall(someone)).rejects.toThrow(/NOPERM/);
    await expect(asOrder.keys('*')).rejects.toThrow(/NOPERM/);
    await expect(asOrder.flushall()).rejects.toThrow(/NOPERM/);
    asOrder.disconnect();
  } finally {
    asAdmin.disconnect();
    await stack.close();
    await redis.kill();
  }
});
