import { poolSettings } from '@shop/service-kit/postgres/pool-settings';
import { Logger as QueueLogger, type Runner, run, type TaskList } from 'graphile-worker';
import { Pool } from 'pg';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { ProductClient } from '../clients/product.client.ts';

interface JobsOptions {
  databaseUrl: string;
  products: ProductClient;
  logger: Logger;
}

/** Jobs of this process that run at once. */
const CONCURRENCY = 4;
/** How soon a worker that ended is started again, in milliseconds. */
const RESTART_DELAY = 1000;

const payload = z.object({ reservation_id: z.uuid() });

/** Both may run any number of times: product-service does nothing twice. */
function tasksOf(products: ProductClient, logger: Logger): TaskList {
  return {
    async confirm_reservation(input, { job }) {
      const { reservation_id } = payload.parse(input);
      const confirmed = await products.confirm(reservation_id, `job-${job.id}`);
      // A cancelled order's reservation is released before its confirm job ran: nothing is left to confirm.
      if (!confirmed) logger.info({ reservation_id }, 'reservation was released before it was confirmed');
    },
    async release_reservation(input, { job }) {
      await products.release(payload.parse(input).reservation_id, `job-${job.id}`);
    },
  };
}

/** Runs the jobs of the order database until it is closed; a queue that cannot be had is tried again for ever. */
export function startJobs({ databaseUrl, products, logger }: JobsOptions) {
  // Nobody waits for these answers: a busy database may take its time.
  const patience = { connectionTimeoutMillis: 10_000, query_timeout: 10_000, statement_timeout: 10_000 };
  const pool = new Pool({ ...poolSettings(databaseUrl, CONCURRENCY + 2), ...patience });
  const onLost = (error: Error) => logger.warn({ reason: error.message }, 'job connection lost');
  pool.on('error', onLost).on('connect', (client) => client.on('error', onLost));
  let runner: Runner | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closing = false;

  const start = async () => {
    try {
      runner = await run({
        pgPool: pool,
        taskList: tasksOf(products, logger),
        concurrency: CONCURRENCY,
        pollInterval: 1000,
        noHandleSignals: true,
        logger: quietLogger(logger),
      });
      await runner.promise;
    } catch (error) {
      logger.warn({ err: error }, 'job queue ended');
    }
    if (!closing) timer = setTimeout(start, RESTART_DELAY);
  };
  const ended = start();
  return {
    async close() {
      closing = true;
      clearTimeout(timer);
      await runner?.stop().catch(() => undefined);
      await ended;
      await pool.end();
    },
  };
}

/** Failed attempts are worth a line; what the queue says about itself is not. */
function quietLogger(logger: Logger): QueueLogger {
  return new QueueLogger(() => (level, message) => {
    if (level === 'error') logger.warn({ reason: message }, 'job attempt failed');
  });
}
