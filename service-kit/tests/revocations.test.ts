import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { connectRedis, type RedisConnection } from '../src/redis/connect.ts';
import { createRevocations, type Revocations } from '../src/redis/revocations.ts';
import { connectTestRedis } from '../src/testing/test-redis.ts';
import { connectTo, type RedisProcess, startRedisProcess } from './support/redis-process.ts';
import { createRecordingLogger, silent } from './support/test-app.ts';
import { until } from './support/until.ts';

const TOKEN_LIFETIME = 3600;
const toClose: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(toClose.splice(0).map((close) => close()));
});

const processOn = (redis: RedisConnection | undefined, logger = silent, tokenLifetime = TOKEN_LIFETIME) => {
  const revocations = createRevocations({ redis, logger, tokenLifetime });
  toClose.push(() => revocations.close());
  return revocations;
};
const opened = (redis: RedisConnection) => {
  toClose.push(() => redis.close());
  return redis;
};
const now = () => Date.now() / 1000;
const knows = (revocations: Revocations, session: string, issuedAt: number) =>
  until('the other process knows', () => revocations.isRevoked(session, issuedAt), 5000);

describe('a revocation', () => {
  test.each(['without', 'with'])('is known here at once, %s Redis', async (redis) => {
    const revocations = processOn(redis === 'with' ? opened(await connectTestRedis()) : undefined);
    const [ended, other, issuedAt] = [randomUUID(), randomUUID(), now()];
    await revocations.revoke([ended]);
    expect(revocations.isRevoked(ended, issuedAt)).toBe(true);
    expect(revocations.isRevoked(other, issuedAt)).toBe(false);
  });

  test('leaves tokens alone that were made later', async () => {
    const revocations = processOn(undefined);
    const at = new Date();
    await revocations.revoke(['s'], at);
    expect(revocations.isRevoked('s', at.getTime() / 1000)).toBe(true);
    expect(revocations.isRevoked('s', (at.getTime() + 1) / 1000)).toBe(false);
  });

  test('is known in every other process within 5 s, at its own time', async () => {
    const redis = opened(await connectTestRedis());
    const [here, there] = [processOn(redis), processOn(redis)];
    const at = new Date();
    await here.revoke(['s:with:colons', 't'], at);
    await knows(there, 's:with:colons', at.getTime() / 1000);
    await knows(there, 't', at.getTime() / 1000);
    expect(there.isRevoked('t', (at.getTime() + 1) / 1000)).toBe(false);
  });

  test('is known to a process that starts later', async () => {
    const redis = opened(await connectTestRedis());
    await processOn(redis).revoke(['s'], new Date(Date.now() - 600_000));
    await knows(processOn(redis), 's', now() - 700);
  });

  test('that is told late is heard by those who have long been listening', async () => {
    const redis = opened(await connectTestRedis());
    const there = processOn(redis);
    await processOn(redis).revoke(['first']);
    await knows(there, 'first', now() - 1);
    await processOn(redis).restore([{ sessionId: 'old', at: new Date(Date.now() - 1_200_000) }]);
    await knows(there, 'old', now() - 1300);
    expect(there.isRevoked('old', now() - 1100)).toBe(false);
  });

  test('of an earlier time takes nothing back', async () => {
    const revocations = processOn(opened(await connectTestRedis()));
    const issuedAt = now() - 50;
    await revocations.revoke(['s']);
    await revocations.restore([{ sessionId: 's', at: new Date(Date.now() - 100_000) }]);
    expect(revocations.isRevoked('s', issuedAt)).toBe(true);
  });

  test('is forgotten once no token from before can be valid', async () => {
    const redis = opened(await connectTestRedis());
    const revocations = processOn(redis, silent, 1);
    const issuedAt = now();
    await revocations.revoke(['s']);
    await until('it is forgotten here', () => !revocations.isRevoked('s', issuedAt));
    const key = `${redis.prefix}revocations`;
    await until('it is forgotten in Redis', async () => (await redis.client.exists(key)) === 0);
  });
});

describe('while Redis is away', () => {
  let server: RedisProcess;
  beforeAll(async () => {
    server = await startRedisProcess();
  });
  afterAll(() => server.kill());

  test('what was revoked stays so, and is told to the others once Redis is back', async () => {
    const [here, there] = [opened(await connectTo(server)), opened(await connectTo(server))];
    const { logger, lines } = createRecordingLogger();
    const [one, two] = [processOn(here, logger), processOn(there)];
    const issuedAt = now() - 1;
    await one.revoke(['before']);
    await knows(two, 'before', issuedAt);
    await server.kill();
    await until('the connections are lost', () => !here.isReady() && !there.isReady());
    await one.revoke(['meanwhile'], new Date(Date.now() - 120_000));
    expect(one.isRevoked('meanwhile', now() - 130)).toBe(true);
    expect(lines).toContainEqual(expect.objectContaining({ level: 'warn', msg: 'revocation is sent later' }));
    expect(two.isRevoked('before', issuedAt)).toBe(true);
    await server.start();
    await knows(two, 'meanwhile', now() - 130);
  });

  test('a poll that fails is logged, and the next one reads again', async () => {
    const { logger, lines } = createRecordingLogger();
    const redis = opened(await connectTo(server, 'poll:'));
    const revocations = processOn(redis, logger);
    server.pause();
    await until('it is logged', () => lines.some(({ msg }) => msg === 'revocations not read'));
    server.resume();
    const other = processOn(opened(await connectTo(server, 'poll:')));
    const issuedAt = now() - 1;
    await other.revoke(['s']);
    await knows(revocations, 's', issuedAt);
  });

  test('the connection says so once, not at every attempt', async () => {
    await server.kill();
    const { logger, lines } = createRecordingLogger();
    const redis = opened(connectRedis(server.url, logger));
    let attempts = 0;
    redis.client.on('reconnecting', () => {
      attempts += 1;
    });
    await until('some attempts were made', () => attempts >= 4);
    await expect(redis.run((client) => client.get('x'))).rejects.toThrow('redis is away');
    expect(lines.map(({ msg }) => msg)).toEqual(['redis is away']);
    await server.start();
    await until('redis is ready', () => redis.isReady());
    expect(lines.map(({ msg }) => msg)).toEqual(['redis is away', 'redis is ready']);
  });
});
