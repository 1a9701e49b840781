import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { Metrics } from '../runtime/metrics.ts';
import { openPool } from './open-pool.ts';
import { observePool } from './pool.metrics.ts';
import { type PoolOptions, poolSettings } from './pool-settings.ts';
import { createQuery, createTransaction, type Query, type Transaction } from './query.ts';

/** A service's database: one pool, and ways to run statements on it. */
export interface Database {
  readonly query: Query;
  /** Plans each statement for its values. */
  readonly unprepared: Query;
  readonly transaction: Transaction;
  readonly pool: Pool;
  close(): Promise<void>;
}

/**
 * Connects with the first query.
 * @param max connections of this process
 */
export function openDatabase(
  connectionString: string,
  max: number,
  logger: Logger,
  options: PoolOptions = {},
): Database {
  const pool = openPool(poolSettings(connectionString, max, options));
  pool.on('error', (error) => logger.warn({ reason: error.message }, 'database connection lost'));
  return {
    query: createQuery(pool, options.prepared),
    unprepared: createQuery(pool, false),
    transaction: createTransaction(pool, options.prepared),
    pool,
    close: () => pool.end(),
  };
}

interface ServiceDatabaseOptions {
  config: {
    DATABASE_URL: string;
    DATABASE_POOL: number;
    DATABASE_PREPARED: boolean;
    TIME_LIMIT_FACTOR: number;
  };
  logger: Logger;
  metrics: Metrics;
}

/** The database of a running service, as its settings say, with metrics of its pool. */
export function openServiceDatabase({ config, logger, metrics }: ServiceDatabaseOptions): Database {
  const database = openDatabase(config.DATABASE_URL, config.DATABASE_POOL, logger, {
    timeLimitFactor: config.TIME_LIMIT_FACTOR,
    prepared: config.DATABASE_PREPARED,
  });
  observePool(database.pool, metrics.registry);
  return database;
}
