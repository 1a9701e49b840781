import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { times } from '@shop/service-kit/testing/depth';
import { connectTestRedis } from '@shop/service-kit/testing/test-redis';
import { until } from '@shop/service-kit/testing/until';
import { CONTRACT, deferred, LATER, open } from './support/caches.ts';
import { pageOn, type Table } from './support/pages.ts';

const table = (): Table => new Map(['1', '2', '3'].map((id) => [id, 1]));

async function twoProcesses() {
  const rows = table();
  const first = await open(connectTestRedis());
  const second = { ...(await open(connectTestRedis())), prefix: first.prefix };
  return { rows, one: pageOn(first, rows), two: pageOn(second, rows) };
}

describe('a page of parts', () => {
  const connect = async () => pageOn(await open(connectTestRedis()), table());

  test('shows each next version of a part, and nothing is loaded', async () => {
    const shop = await connect();
    for (const id of ['1', '2', '3']) await shop.readPart(id);
    expect(await shop.readPage()).toBe('1.1 2.1 3.1');
    expect(shop.takeLoaded()).toEqual(['1', '2', '3', 'page']);
    for (const expected of ['1.1 2.2 3.1', '1.1 2.3 3.1']) {
      await shop.change('2');
      expect(await shop.readPage()).toBe(expected);
      await sleep(LATER);
      expect(await shop.readPage()).toBe(expected);
    }
    expect(shop.takeLoaded()).toEqual([]);
  });

  test('loads the parts that nobody keeps together, once, and no others', async () => {
    const shop = await connect();
    await shop.readPart('1');
    await shop.readPage();
    await shop.change('2');
    expect(await shop.readPage()).toBe('1.1 2.2 3.1');
    await until('they are stored', async () => {
      shop.takeLoaded();
      await shop.change('2');
      expect(await shop.readPage()).toMatch(/^1\.1 2\.\d+ 3\.1$/);
      return shop.takeLoaded().length === 0;
    });
  });

  test('leaves out a part that is no more', async () => {
    const rows = table();
    const shop = pageOn(await open(connectTestRedis()), rows);
    await shop.readPage();
    rows.delete('2');
    await shop.invalidatePart('2');
    expect(await shop.readPage()).toBe('1.1 3.1');
  });

  test('is loaded again when its own group was invalidated', async () => {
    const shop = await connect();
    await shop.readPage();
    await shop.invalidatePage();
    await shop.readPage();
    expect(shop.takeLoaded()).toEqual(['page', 'page']);
  });

  test('shows what changed while it was loaded', async () => {
    const shop = await connect();
    for (const id of ['1', '2', '3']) await shop.readPart(id);
    const held = deferred<void>();
    const early = shop.readPage(() => held.promise);
    await until('the load began', () => shop.takeLoaded().includes('page'));
    await shop.change('2');
    held.resolve();
    expect(await early).toBe('1.1 2.1 3.1');
    expect(await shop.readPage()).toBe('1.1 2.2 3.1');
  });
});

describe('pages of several processes', () => {
  test('show what another has changed within a second, and nothing is loaded', async () => {
    const { one, two } = await twoProcesses();
    for (const id of ['1', '2', '3']) await one.readPart(id);
    await one.readPage();
    await two.readPage();
    one.takeLoaded();
    await two.change('2');
    expect(await two.readPage()).toBe('1.1 2.2 3.1');
    await sleep(LATER);
    expect(await one.readPage()).toBe('1.1 2.2 3.1');
    expect([one.takeLoaded(), two.takeLoaded()]).toEqual([[], []]);
  });

  test('show a change made here at once, also while what another has ended is still served', async () => {
    const { one, two } = await twoProcesses();
    await one.readPage();
    await two.invalidatePage();
    await one.change('2');
    expect(await one.readPage()).toBe('1.1 2.2 3.1');
    await sleep(LATER);
    expect([await one.readPage(), await two.readPage()]).toEqual(['1.1 2.2 3.1', '1.1 2.2 3.1']);
  });

  test('show a change made here right after the load of a page elsewhere began', async () => {
    const { one, two } = await twoProcesses();
    // What matters is a part of a millisecond: one time in about ten.
    for (let version = 2; version < 100; version += 1) {
      await two.invalidatePage();
      await two.readPage(() => one.change('2'));
      expect(await one.readPage()).toBe(`1.1 2.${version} 3.1`);
    }
  });

  test('show a change made here also when the next one comes while they are asked for', async () => {
    const { one, two } = await twoProcesses();
    await two.readPage();
    await one.change('2');
    await two.invalidatePage();
    const [shown] = await Promise.all([one.readPage(), one.change('2')]);
    expect(shown).not.toContain('2.1');
    expect(await one.readPage()).toBe('1.1 2.3 3.1');
  });

  test('never show what is older than they may, whatever happens at the same time', async () => {
    const { rows, one, two } = await twoProcesses();
    const reported: { shop: unknown; id: string; version: number; at: number }[] = [];
    const someId = () => String(1 + Math.floor(Math.random() * 3));
    const change = async (shop: typeof one) => {
      const id = someId();
      const changing = shop.change(id);
      const version = rows.get(id) ?? 0;
      await changing;
      reported.push({ shop, id, version, at: performance.now() });
    };
    const readPage = async (shop: typeof one) => {
      const begunAt = performance.now();
      const due = reported.filter((change) => change.shop === shop || change.at < begunAt - CONTRACT);
      const shown = new Map((await shop.readPage(() => sleep(Math.random() * 5))).split(' ').map(toVersion));
      for (const { id, version } of due) expect(shown.get(id)).toBeGreaterThanOrEqual(version);
      reads += 1;
    };
    let reads = 0;
    const endsAt = performance.now() + times(3000, 20_000);
    const visit = async (shop: typeof one) => {
      const calls = [
        ...Array.from({ length: 10 }, () => () => readPage(shop)),
        ...Array.from({ length: 6 }, () => () => change(shop)),
        ...Array.from({ length: 3 }, () => () => shop.readPart(someId())),
        () => shop.invalidatePart(someId()),
        () => shop.invalidatePage(),
      ];
      while (performance.now() < endsAt) await calls[Math.floor(Math.random() * calls.length)]?.();
    };
    await Promise.all(Array.from({ length: 8 }, (_, i) => visit(i % 2 ? one : two)));
    expect(reads).toBeGreaterThan(20);
    await sleep(LATER);
    const expected = [...rows].map(([id, version]) => `${id}.${version}`).join(' ');
    for (const shop of [one, two]) expect(await shop.readPage()).toBe(expected);
  });
});

const toVersion = (text: string): [id: string, version: number] => {
  const [id = '', version] = text.split('.');
  return [id, Number(version)];
};
