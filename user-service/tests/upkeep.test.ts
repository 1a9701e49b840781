import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { startSessionUpkeep } from '../src/sessions/session.upkeep.ts';
import { createUpkeepRepository } from '../src/sessions/upkeep.repository.ts';
import { logger, startTestShop, type TestShop } from './support/test-shop.ts';
import { until } from './support/until.ts';
import { register } from './support/user.factory.ts';

let shop: TestShop;
const closing: (() => void)[] = [];
beforeAll(async () => {
  shop = await startTestShop();
});
afterEach(() => {
  for (const close of closing.splice(0)) close();
});
afterAll(() => shop.close());

const HOUR = 3_600_000;
const startUpkeep = (...sweeps: (() => Promise<unknown>)[]) => {
  const upkeep = startSessionUpkeep({ logger, sweeps, sweepInterval: 20 });
  closing.push(() => upkeep.close());
};

describe('old sessions', () => {
  test('are removed a day after their end', async () => {
    const [ended, expired, living] = await Promise.all([1, 2, 3].map(() => register(shop.app)));
    const old = new Date(Date.now() - 25 * HOUR);
    await shop.db.session.updateMany({ where: { userId: ended?.user.id ?? 0 }, data: { endedAt: old } });
    await shop.db.session.updateMany({ where: { userId: expired?.user.id ?? 0 }, data: { expiresAt: old } });
    let swept = 0;
    startUpkeep(createUpkeepRepository(shop.db).removeOld, async () => (swept += 1));
    const left = (who: typeof ended) => shop.db.session.count({ where: { userId: who?.user.id ?? 0 } });
    await until('both are gone', async () => (await left(ended)) + (await left(expired)) === 0, 5000);
    expect(await left(living)).toBe(1);
    expect(swept).toBeGreaterThan(0);
  });
});
