import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { startJobs } from '@shop/service-kit/jobs/start-jobs';
import { Registry } from 'prom-client';
import { importStatements } from '../src/catalogue-files/import.repository.ts';
import { importFile } from './support/catalogue-file.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());
afterEach(() => shop.run('DELETE FROM graphile_worker._private_jobs'));

const rows = (count: number, name: string) =>
  ['sku,name,price', ...Array.from({ length: count }, (_, i) => `S${i},${name},1`)].join('\n');
const jobs = () => shop.query<{ task: string }[]>`SELECT task_identifier AS task FROM graphile_worker.jobs`;
const estimate = async () => {
  const [table] = await shop.query<[{ rows: number }]>`
    SELECT reltuples::int AS rows FROM pg_class WHERE oid = 'products'::regclass`;
  return table.rows;
};

test('a large import has the statistics updated, once for several imports', async () => {
  await importFile(shop.app, rows(1000, 'Lamp')).expect(200);
  await importFile(shop.app, rows(1000, 'Desk')).expect(200);
  expect(await jobs()).toEqual([{ task: 'analyze_products' }]);
  const { config, logger, query } = shop;
  const running = startJobs({
    config,
    query,
    logger,
    metrics: { registry: new Registry() },
    statements: importStatements,
  });
  while ((await jobs()).length > 0) await new Promise((resolve) => setTimeout(resolve, 50));
  await running.close();
  expect(await estimate()).toBe(1000);
});

test('a large import that breaks off does too; a small one, one without changes and a dry run do not', async () => {
  await importFile(shop.app, rows(1000, 'Desk')).expect(200);
  await importFile(shop.app, rows(999, 'Chair')).expect(200);
  await importFile(shop.app, rows(1000, 'Sofa'), { isDryRun: true }).expect(200);
  expect(await jobs()).toEqual([]);
  const cutOff = gzipSync(rows(20_000, 'Sofa')).subarray(0, -8);
  const { body } = await importFile(shop.app, cutOff, { encoding: 'gzip' }).expect(400);
  expect(body.created + body.updated).toBeGreaterThanOrEqual(1000);
  expect(await jobs()).toEqual([{ task: 'analyze_products' }]);
});
