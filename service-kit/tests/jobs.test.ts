import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { pino } from 'pino';
import { until } from '../testing/until.ts';
import { openJobShop } from './support/job-shop.ts';

let shop: Awaited<ReturnType<typeof openJobShop>>;
beforeAll(async () => {
  shop = await openJobShop();
});
afterEach(() => shop.reset());
afterAll(() => shop.close());

async function connect() {
  const client = new Client({ connectionString: shop.url });
  await client.connect();
  return client;
}

describe('a job', () => {
  test('runs after its transaction is committed, and never if it is rolled back', async () => {
    const seen: unknown[] = [];
    shop.start({ tasks: { work: async (payload) => seen.push(payload) } });
    await shop.add({ id: 0 });
    const client = await connect();
    await client.query(`BEGIN; SELECT jobs.add('work', '{"id": 1}'); ROLLBACK`);
    await client.query(`BEGIN; SELECT jobs.add('work', '{"id": 2}')`);
    await shop.add({ id: 3 });
    await until('the others are done', () => seen.length === 2);
    await client.query('COMMIT');
    await client.end();
    await until('it is done too', () => seen.length === 3);
    expect(seen).toEqual([{ id: 0 }, { id: 3 }, { id: 2 }]);
  });

  test('with a key replaces the waiting job of the same key', async () => {
    await shop.query`SELECT jobs.add('work', '{"id": 1}', 'k')`;
    await shop.query`SELECT jobs.add('work', '{"id": 2}', 'k')`;
    const seen: unknown[] = [];
    shop.start({ tasks: { work: async (payload) => seen.push(payload) } });
    await until('it is done', async () => (await shop.waiting()) === 0);
    expect(seen).toEqual([{ id: 2 }]);
  });

  test('that fails is retried until it succeeds, and is counted and logged', async () => {
    let attempts = 0;
    const work = async () => {
      attempts += 1;
      if (attempts < 3) throw new Error(`trouble ${attempts}`);
    };
    const { registry } = shop.start({ tasks: { work } });
    await shop.add();
    await until('it is done', async () => (await shop.waiting()) === 0);
    expect(attempts).toBe(3);
    expect(await registry.metrics()).toContain('job_failures_total{task="work"} 2');
    expect(shop.lines.join('')).toMatch(/trouble 1.*trouble 2/s);
  });

  test('is logged with the ids of its payload, and nothing else of it', async () => {
    let attempts = 0;
    const work = async () => {
      attempts += 1;
      if (attempts === 1) throw new Error('trouble');
    };
    shop.start({
      tasks: { work },
      logger: pino({ level: 'info' }, { write: (line) => shop.lines.push(line) }),
    });
    await shop.add({ order_ids: [7, 8], request_id: 'r-1', email: 'buyer@example.com' });
    await until('it is done', async () => (await shop.waiting()) === 0);
    const lines = shop.lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg.startsWith('job'));
    const ids = { task: 'work', order_ids: [7, 8], request_id: 'r-1', job_id: expect.any(String) };
    expect(lines).toEqual([
      expect.objectContaining({ ...ids, msg: 'job attempt failed', attempt: 1 }),
      expect.objectContaining({ ...ids, msg: 'job', attempt: 2, ms: expect.any(Number) }),
    ]);
    expect(shop.lines.join('')).not.toContain('buyer@');
  });

  test('has the maximum number of attempts', async () => {
    await shop.add();
    const rows = await shop.query`SELECT max_attempts FROM graphile_worker.jobs`;
    expect(rows).toEqual([{ max_attempts: 32_767 }]);
  });

  test('that has failed often waits no longer than the limit', async () => {
    await shop.add();
    await shop.query`UPDATE graphile_worker._private_jobs SET attempts = 9, run_at = now() + interval '5 hours'`;
    shop.start();
    await until('it is done', async () => (await shop.waiting()) === 0);
  });

  test('of a killed worker is taken over by another', async () => {
    await shop.add();
    await shop.query`UPDATE graphile_worker._private_jobs SET locked_at = now() - interval '2 minutes', locked_by = 'dead'`;
    shop.start();
    await until('it is done', async () => (await shop.waiting()) === 0);
  });

  test('of a living worker is left to it', async () => {
    await shop.add();
    await shop.query`UPDATE graphile_worker._private_jobs SET locked_at = now() - interval '30 seconds', locked_by = 'alive'`;
    const { registry } = shop.start();
    await shop.add({ later: true });
    await until('the later one is done', async () => (await shop.waiting()) === 1);
    expect(await shop.query`SELECT locked_by FROM graphile_worker.jobs`).toEqual([{ locked_by: 'alive' }]);
    expect(await registry.metrics()).toMatch(/jobs_due\{task="work"\} 1\n/);
  });

  test('runs once although several replicas could take it', async () => {
    const seen: unknown[] = [];
    const work = async (payload: unknown) => seen.push((payload as { id: number }).id);
    shop.start({ tasks: { work } });
    shop.start({ tasks: { work } });
    const ids = Array.from({ length: 100 }, (_, id) => id);
    await Promise.all(ids.map((id) => shop.add({ id })));
    await until('all are done', async () => (await shop.waiting()) === 0);
    expect(seen.sort((a, b) => Number(a) - Number(b))).toEqual(ids);
  });
});

describe('the queue', () => {
  test('is restarted if its first look-up of task names fails', async () => {
    const blocker = await connect();
    await blocker.query('BEGIN; LOCK TABLE graphile_worker._private_tasks');
    shop.start({ stalledAfter: 3000 });
    await until('a look for jobs failed', () => shop.lines.some((line) => line.includes('fetching jobs')));
    await blocker.query('COMMIT');
    await blocker.end();
    await shop.add();
    await until('the job is done', async () => (await shop.waiting()) === 0);
  });

  test('goes on with the next jobs after several failed reports', async () => {
    // Each report takes so long that others begin before it has failed, and one job takes longer than they.
    await shop.query`
      CREATE FUNCTION refuse_report() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM pg_sleep(0.5); RAISE EXCEPTION ''trouble''; END'`;
    await shop.query`
      CREATE TRIGGER trouble BEFORE DELETE ON graphile_worker._private_jobs
        FOR EACH ROW EXECUTE FUNCTION refuse_report()`;
    let done = 0;
    const work = async () => {
      done += 1;
      if (done === 1) await sleep(2000);
    };
    await Promise.all(Array.from({ length: 20 }, () => shop.add()));
    const config = { DATABASE_URL: shop.url, JOB_MAX_BACKOFF: 1, JOB_ABANDONED_AFTER: 2 };
    shop.start({ tasks: { work }, concurrency: 20, config });
    await until('a report failed', () => shop.lines.some((line) => line.includes('trouble')));
    expect(await shop.waiting()).toBe(20);
    await shop.query`DROP TRIGGER trouble ON graphile_worker._private_jobs`;
    await shop.add();
    await until('all are done', async () => (await shop.waiting()) === 0);
  });

  test('is retried until the database is available', async () => {
    const server = new Client({ connectionString: process.env['TEST_DATABASE_URL'] });
    await server.connect();
    const name = new URL(shop.url).pathname.slice(1);
    const nowhere = new URL(shop.url);
    nowhere.pathname = `/${name}_later`;
    await server.query(`DROP DATABASE IF EXISTS ${name}_later`);
    const config = { DATABASE_URL: nowhere.href, JOB_MAX_BACKOFF: 1, JOB_ABANDONED_AFTER: 60 };
    shop.start({ config });
    const ended = () => shop.lines.filter((line) => line.includes('job queue ended')).length;
    await until('it failed twice', () => ended() >= 2);
    await server.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}' AND pid <> pg_backend_pid()`,
    );
    await server.query(`CREATE DATABASE ${name}_later TEMPLATE ${name}`);
    const client = new Client({ connectionString: nowhere.href });
    await client.connect();
    await client.query(`SELECT jobs.add('work')`);
    const waiting = async () => (await client.query('SELECT FROM graphile_worker.jobs')).rowCount;
    await until('the job is done', async () => (await waiting()) === 0);
    await shop.reset();
    await client.end();
    await server.query(`DROP DATABASE ${name}_later WITH (FORCE)`);
    await server.end();
  });

  test('exports how many are due, the age of the oldest, 0 without one, and the time of the last fetch', async () => {
    const idle = shop.start();
    await until('it looked', async () => /^jobs_last_fetch\S+ [1-9]/m.test(await idle.registry.metrics()));
    expect(await idle.registry.metrics()).toContain('jobs_oldest_seconds{task="work"} 0\n');
    await idle.close();
    await Promise.all([shop.add(), shop.add()]);
    await shop.query`UPDATE graphile_worker._private_jobs SET locked_at = now(), locked_by = 'alive',
      created_at = now() - interval '1 hour', run_at = now() + (id % 2) * interval '1 hour'`;
    const metrics = await shop.start().registry.metrics();
    expect(metrics).toContain('jobs_due{task="work"} 1\n');
    const [, age] = /^jobs_oldest_seconds\{task="work"\} (\S+)$/m.exec(metrics) ?? [];
    expect(Number(age)).toBeGreaterThanOrEqual(3600);
  });

  test('aborts a running job at a stop, and keeps it for the next process', async () => {
    let began = false;
    const work = (_payload: unknown, signal: AbortSignal) =>
      new Promise<never>((_resolve, reject) => {
        began = true;
        signal.addEventListener('abort', () => reject(new Error('stopped')));
      });
    const { close } = shop.start({ tasks: { work } });
    await shop.add();
    await until('it runs', () => began);
    await close();
    expect(await shop.query`SELECT attempts, locked_by FROM graphile_worker.jobs`).toEqual([
      { attempts: 1, locked_by: null },
    ]);
  });
});
