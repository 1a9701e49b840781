import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { startJobs } from '../../src/jobs/start-jobs.ts';
import { openPool } from '../../src/postgres/open-pool.ts';
import { createQuery } from '../../src/postgres/query.ts';
import { createTestDatabase } from '../../testing/test-database.ts';

type Options = Partial<Parameters<typeof startJobs>[0]>;

/** A database with a job queue only, and replicas of a service that run its jobs. */
export async function openJobShop() {
  const prismaFolder = await mkdtemp(join(tmpdir(), 'kit-jobs-'));
  await mkdir(join(prismaFolder, 'migrations'));
  await writeFile(join(prismaFolder, 'schema.prisma'), 'datasource db {\n  provider = "postgresql"\n}\n');
  const database = await createTestDatabase({ name: 'kit_jobs', prismaFolder });
  const pool = openPool({ connectionString: database.url });
  // A test may close its connections.
  pool.on('error', () => undefined);
  const query = createQuery(pool);
  const running: ReturnType<typeof startJobs>[] = [];
  const lines: string[] = [];
  const log = { write: (line: string) => void lines.push(line) };
  return {
    url: database.url,
    query,
    lines,
    /** Starts one more replica. */
    start({ config, ...options }: Options = {}) {
      const registry = new Registry();
      const settings = { DATABASE_URL: database.url, JOB_MAX_BACKOFF: 1, JOB_ABANDONED_AFTER: 60, ...config };
      const logger = pino({ level: 'warn' }, log);
      const jobs = startJobs({
        config: settings,
        query,
        metrics: { registry },
        logger,
        tasks: { work: noWork },
        ...options,
      });
      running.push(jobs);
      /** Stops a replica before the end of the test. */
      const close = () => {
        running.splice(running.indexOf(jobs), 1);
        return jobs.close();
      };
      return { close, registry };
    },
    add: (payload: object = {}) => query`SELECT jobs.add('work', ${JSON.stringify(payload)}::json)`,
    async waiting(): Promise<number> {
      const rows = await query<[{ count: number }]>`SELECT count(*)::int FROM graphile_worker.jobs`;
      return rows[0].count;
    },
    /** Stops the replicas and deletes the jobs. */
    async reset() {
      await Promise.all(running.splice(0).map((jobs) => jobs.close()));
      lines.length = 0;
      await query`DELETE FROM graphile_worker._private_jobs`;
      await query`DELETE FROM jobs.turns`;
    },
    async close() {
      await pool.end();
      await database.drop();
    },
  };
}

const noWork = async () => undefined;
