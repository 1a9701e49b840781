import { EventEmitter } from 'node:events';
import { openPool } from '@shop/service-kit/postgres/open-pool';
import { poolSettings } from '@shop/service-kit/postgres/pool-settings';
import { bulkhead } from 'cockatiel';
import DataLoader from 'dataloader';
import { Logger as QueueLogger, type Runner, run, type TaskList } from 'graphile-worker';
import type { Logger } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import type { ProductClient } from '../clients/product.client.ts';

interface JobsOptions {
  databaseUrl: string;
  products: ProductClient;
  logger: Logger;
}

/**
 * Jobs of this process that run at once, and that it fetches at once. Most confirm an order: those wait for each other
 * for a moment and go to product-service together, which costs it one request and one statement for all.
 */
const CONCURRENCY = 100;
const CONFIRM_WITHIN = 20;
/** How long the queue waits for more jobs when there are few, in milliseconds: nobody waits for a confirmation. */
const GATHER = 100;
/** Releases of this process that run at once: orders have the right of way. */
const RELEASES = 2;
const CONNECTIONS = 4;
/** How soon a worker that ended is started again, in milliseconds. */
const RESTART_DELAY = 1000;
/** How long a worker that has shut down may take to say that it ended, in milliseconds. */
const LAST_WORDS = 3000;

const payload = z.object({ reservation_id: z.uuid() });

/** Both may run any number of times: product-service does nothing twice. */
function tasksOf(products: ProductClient, logger: Logger): TaskList {
  const confirmation = new DataLoader<string, boolean>(
    async (ids) => {
      const confirmed = await products.confirm([...ids], uuidv7());
      return ids.map((id) => confirmed.has(id));
    },
    { cache: false, maxBatchSize: CONCURRENCY, batchScheduleFn: (send) => setTimeout(send, CONFIRM_WITHIN) },
  );
  const releases = bulkhead(RELEASES, Number.POSITIVE_INFINITY);
  return {
    async confirm_reservation(input) {
      const { reservation_id } = payload.parse(input);
      // A cancelled order's reservation is released before its confirm job ran: nothing is left to confirm.
      if (!(await confirmation.load(reservation_id))) {
        logger.info({ reservation_id }, 'reservation was released before it was confirmed');
      }
    },
    async release_reservation(input) {
      const { reservation_id } = payload.parse(input);
      await releases.execute(() => products.release(reservation_id, uuidv7()));
    },
  };
}

/** Runs the jobs of the order database until it is closed; a queue that cannot be had is tried again for ever. */
export function startJobs({ databaseUrl, products, logger }: JobsOptions) {
  // Nobody waits for these answers: a busy database may take its time.
  const patience = { connectionTimeoutMillis: 10_000, query_timeout: 10_000, statement_timeout: 10_000 };
  const pool = openPool({ ...poolSettings(databaseUrl, CONNECTIONS), ...patience });
  const onLost = (error: Error) => logger.warn({ reason: error.message }, 'job connection lost');
  pool.on('error', onLost).on('connect', (client) => client.on('error', onLost));
  let runner: Runner | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closing = false;

  const start = async () => {
    const events = new EventEmitter();
    const shutDown = new Promise<void>((resolve) => {
      const onShutDown = () => void setTimeout(resolve, LAST_WORDS).unref();
      events.once('pool:gracefulShutdown:complete', onShutDown);
      events.once('pool:gracefulShutdown:error', onShutDown);
    });
    try {
      runner = await run({
        events,
        pgPool: pool,
        taskList: tasksOf(products, logger),
        noHandleSignals: true,
        preset: {
          worker: {
            concurrentJobs: CONCURRENCY,
            pollInterval: 1000,
            localQueue: {
              size: CONCURRENCY,
              refetchDelay: { durationMs: GATHER, threshold: CONCURRENCY - 1 },
            },
            // Without a delay the queue awaits neither, and a database that dies then ends the process.
            completeJobBatchDelay: CONFIRM_WITHIN,
            failJobBatchDelay: CONFIRM_WITHIN,
          },
        },
        logger: quietLogger(logger),
      });
      // Where two reports of done jobs fail, it shuts down and then waits for itself for ever (graphile/worker issue 636).
      await Promise.race([runner.promise, shutDown]);
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
