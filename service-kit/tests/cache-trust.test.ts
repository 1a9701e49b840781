import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Query } from '../src/postgres/query.ts';
import { createCacheTrust } from '../src/redis/cache-trust.ts';
import { openTrustDatabase, type TrustDatabase } from '../testing/trust-database.ts';
import { until } from '../testing/until.ts';

let database: TrustDatabase;
beforeAll(async () => {
  database = await openTrustDatabase('kit_trust');
});
afterAll(() => database.close());

type Statement = 'SELECT' | 'UPDATE';

/** One process's view, whose statements the test counts, holds back or makes fail. */
function watched() {
  const { query } = database.replica();
  const counts = { SELECT: 0, UPDATE: 0 };
  const hooks: Partial<Record<Statement, () => Promise<unknown>>> = {};
  const wrapped = (async (texts: TemplateStringsArray, ...values: never[]) => {
    const statement: Statement = texts[0]?.includes('UPDATE') ? 'UPDATE' : 'SELECT';
    counts[statement] += 1;
    const rows = await query(texts, ...values);
    await hooks[statement]?.();
    return rows;
  }) as Query;
  return { trust: createCacheTrust(wrapped), counts, hooks };
}

const gate = () => {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open, opened };
};

test('changes share a new epoch if it begins after them, and otherwise get the next one', async () => {
  const { trust, counts, hooks } = watched();
  const { open, opened } = gate();
  hooks.UPDATE = () => opened;
  const first = Promise.all([trust.renew(), trust.renew()]);
  await until('the first is being written', () => counts.UPDATE === 1);
  const later = Promise.all([trust.renew(), trust.renew(), trust.renew()]);
  open();
  await Promise.all([first, later]);
  expect(counts.UPDATE).toBe(2);
});

test('a new epoch is in force in this process at once, also for reads that find an old one being read', async () => {
  const { trust, counts, hooks } = watched();
  const { open, opened } = gate();
  hooks.SELECT = () => opened;
  const early = trust.epoch(performance.now());
  await until('the epoch is being read', () => counts.SELECT === 1);
  const before = await database.epoch();
  await trust.renew();
  const epoch = await database.epoch();
  expect(epoch).not.toBe(before);
  expect(await trust.epoch(performance.now())).toBe(epoch);
  open();
  await early;
  expect(await trust.epoch(performance.now())).toBe(epoch);
});

test('reads go on in the epoch that they know while it is read again, and read it once', async () => {
  const { trust, counts } = watched();
  const epoch = await trust.epoch(performance.now());
  expect(epoch).toBe(await database.epoch());
  for (let i = 0; i < 100; i += 1) await trust.epoch(performance.now());
  expect(counts.SELECT).toBeLessThan(5);
});

test('an epoch that could not be written is written later', async () => {
  const { trust, hooks } = watched();
  hooks.UPDATE = () => Promise.reject(new Error('no database'));
  await expect(trust.renew()).rejects.toThrow('no database');
  const before = await database.epoch();
  hooks.UPDATE = async () => undefined;
  await until('it is written', async () => (await database.epoch()) !== before);
});

test('the cache is not used while the epoch cannot be read', async () => {
  const { trust, hooks } = watched();
  hooks.SELECT = () => Promise.reject(new Error('no database'));
  expect(await trust.epoch(performance.now())).toBeUndefined();
});
