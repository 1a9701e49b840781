import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { until } from '../testing/until.ts';
import { openJobShop } from './support/job-shop.ts';

let shop: Awaited<ReturnType<typeof openJobShop>>;
beforeAll(async () => {
  shop = await openJobShop();
});
afterEach(() => shop.reset());
afterAll(() => shop.close());

describe('a periodic task', () => {
  test('runs once in each interval over all replicas', async () => {
    let turns = 0;
    const run = async () => {
      turns += 1;
    };
    const daily = { every: 86_400_000, run };
    for (let i = 0; i < 3; i += 1) shop.start({ periodic: { daily } });
    await until('the turn is taken', () => turns > 0);
    await shop.reset();
    expect(turns).toBe(1);
  });

  test('continues after a failure, which is counted', async () => {
    let turns = 0;
    const run = async () => {
      turns += 1;
      if (turns === 1) throw new Error('trouble in a turn');
    };
    const { registry } = shop.start({ periodic: { often: { every: 10, run } } });
    await until('it has gone on', () => turns > 2);
    expect(await registry.metrics()).toContain('job_failures_total{task="often"} 1');
    expect(shop.lines.join('')).toContain('trouble in a turn');
  });

  test('is aborted at a stop', async () => {
    let began = false;
    const run = async (signal: AbortSignal) => {
      began = true;
      while (!signal.aborted) await sleep(10);
    };
    const { close } = shop.start({ periodic: { long: { every: 86_400_000, run } } });
    await until('it runs', () => began);
    await close();
  });

  test('that runs alone never overlaps, also if it takes longer than its claim', async () => {
    let [runs, running, most] = [0, 0, 0];
    const run = async () => {
      running += 1;
      most = Math.max(most, running);
      await sleep(runs === 0 ? 2500 : 50);
      running -= 1;
      runs += 1;
    };
    const task = { every: 20, alone: true, run };
    for (let i = 0; i < 3; i += 1) shop.start({ periodic: { task }, claimSeconds: 1 });
    await until('it has run repeatedly', () => runs > 4);
    expect(most).toBe(1);
  });

  test('that runs alone runs again after a failure, and after its process was killed', async () => {
    await shop.query`INSERT INTO jobs.turns (task, taken) VALUES ('task: running', now() + interval '1 s')`;
    const began = Date.now();
    const starts: number[] = [];
    const run = async () => {
      starts.push(Date.now() - began);
      throw new Error('trouble in a turn');
    };
    shop.start({ periodic: { task: { every: 20, alone: true, run } } });
    await until('it failed twice', () => starts.length > 1);
    expect(starts[0]).toBeGreaterThan(800);
  });
});
