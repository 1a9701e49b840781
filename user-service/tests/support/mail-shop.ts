import { startJobs } from '@shop/service-kit/jobs/start-jobs';
import { createQuery } from '@shop/service-kit/postgres/query';
import { createMetrics } from '@shop/service-kit/runtime/metrics';
import { until } from '@shop/service-kit/testing/until';
import { Pool } from 'pg';
import pino from 'pino';
import { openMailing } from '../../src/mail/mail.jobs.ts';
import { startMailSink } from './mail-sink.ts';
import { startTestShop } from './test-shop.ts';

const config = { SHOP_URL: 'https://shop.example', mailFrom: 'Shop <no-reply@shop.example>' };

export type MailShop = Awaited<ReturnType<typeof startMailShop>>;

/** A shop with a mail server. Nothing is sent before `startSending`. */
export async function startMailShop() {
  const [shop, sink] = await Promise.all([startTestShop(), startMailSink()]);
  const pool = new Pool({ connectionString: shop.databaseUrl });
  const closing: (() => Promise<unknown>)[] = [];

  /** Starts a process that sends mails, with its own log. Failed mails are retried after a second or two. */
  function startSending(url: string | null = sink.url) {
    const lines: Record<string, unknown>[] = [];
    // Without the line of each finished job.
    const write = (line: string) => line.includes('"msg":"job"') || void lines.push(JSON.parse(line));
    const logger = pino({ level: 'info' }, { write });
    const metrics = createMetrics('user-service');
    const mailing = openMailing({
      query: shop.query,
      config: url === null ? config : { ...config, SMTP_URL: url },
      logger,
      metrics,
    });
    const jobs = startJobs({
      config: { DATABASE_URL: shop.databaseUrl, JOB_MAX_BACKOFF: 1, JOB_ABANDONED_AFTER: 60 },
      query: createQuery(pool),
      logger,
      metrics,
      tasks: mailing.tasks,
    });
    let closed: Promise<void> | undefined;
    const close = () => (closed ??= jobs.close().then(mailing.close));
    closing.push(close);
    return { close, lines, counted: () => metrics.registry.getSingleMetricAsString('mails_total') };
  }
  /** Waiting and running jobs. */
  const jobsOf = async (userId: number) => {
    const { rows } = await pool.query<{ attempts: number; payload: Record<string, unknown> }>(
      "SELECT attempts, payload FROM graphile_worker._private_jobs WHERE payload->>'user_id' = $1",
      [String(userId)],
    );
    return rows;
  };
  const attemptsOf = async (userId: number) => (await jobsOf(userId))[0]?.attempts ?? 0;
  const isDone = (userId: number) =>
    until('the job is done', async () => (await jobsOf(userId)).length === 0, 10_000);
  /** Makes all waiting mails older. */
  const age = (interval: string) =>
    pool.query(
      `UPDATE graphile_worker._private_jobs
        SET payload = jsonb_set(payload::jsonb, '{until}', to_jsonb((payload->>'until')::timestamptz - $1::interval))::json`,
      [interval],
    );

  return {
    shop,
    sink,
    pool,
    startSending,
    jobsOf,
    attemptsOf,
    isDone,
    age,
    /** Closes something after the test. */
    closeLater: (close: () => Promise<unknown>) => void closing.push(close),
    /** Stops sending and deletes the waiting mails. */
    async reset() {
      await Promise.all(closing.splice(0).map((close) => close()));
      sink.become({});
      await pool.query('DELETE FROM graphile_worker._private_jobs');
    },
    async close() {
      await pool.end();
      await Promise.all([shop.close(), sink.close()]);
    },
  };
}
