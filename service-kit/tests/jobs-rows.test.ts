import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { until } from '../testing/until.ts';
import { openJobShop } from './support/job-shop.ts';

let shop: Awaited<ReturnType<typeof openJobShop>>;
beforeAll(async () => {
  shop = await openJobShop();
});
afterAll(() => shop.close());

test('a job without a key is the row that graphile-worker writes, also the first one of its task', async () => {
  const client = new Client({ connectionString: shop.url });
  await client.connect();
  await client.query('LISTEN "jobs:insert"');
  const counts: unknown[] = [];
  client.on('notification', ({ payload }) => counts.push(JSON.parse(payload ?? '').count));
  await client.query(`
    BEGIN;
    SELECT graphile_worker.add_job('known', '{"id": 1}', max_attempts => 32767);
    SELECT jobs.add('known', '{"id": 1}'), jobs.add('known', '{"id": 1}'), jobs.add('unknown', NULL);
    COMMIT`);
  const { rows } = await client.query(`
    SELECT identifier AS task, j.payload::text, to_jsonb(j) - '{id,task_id,payload}'::text[] AS rest
      FROM graphile_worker._private_jobs j JOIN graphile_worker._private_tasks t ON t.id = task_id ORDER BY j.id`);
  await until('all were reported', () => counts.length === 4);
  await client.end();
  expect(counts).toEqual([1, 1, 1, 1]);
  expect(rows).toEqual([
    ...Array(3).fill({ task: 'known', payload: '{"id": 1}', rest: rows[0].rest }),
    { task: 'unknown', payload: '{}', rest: rows[0].rest },
  ]);
  expect(rows[0].rest).toMatchObject({ attempts: 0, max_attempts: 32767, key: null, is_available: true });
});
