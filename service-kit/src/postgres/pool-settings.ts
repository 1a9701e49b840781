import type { PoolConfig } from 'pg';

export type PoolSettings = PoolConfig & { connectionString: string };

export interface PoolOptions {
  /** Multiplies the time limits, for tests on a busy machine. */
  timeLimitFactor?: number;
  /**
   * False behind a pooler that gives each transaction another connection: no statement is kept by name, and the server
   * gets no time limits with the connection, because PgBouncer refuses them. The role has them then
   * (docs/high-availability.md).
   */
  prepared?: boolean;
}

/**
 * Settings of every pool. A request waits for a connection no longer than its deadline allows (`connection.ts`); making a
 * connection may take longer than that: the next requests get it. If it were given up with the request, a busy machine
 * would make connections again and again and never get one. A statement has 1.2 s on the server, and 1.4 s until the
 * client stops waiting.
 * @param connectionString `postgresql://user:password@host:port/database`; several hosts are separated by commas
 * @param max connections of this process
 */
export function poolSettings(
  connectionString: string,
  max: number,
  { timeLimitFactor = 1, prepared = true }: PoolOptions = {},
): PoolSettings {
  const onServer = {
    statement_timeout: 1200 * timeLimitFactor,
    lock_timeout: 1000 * timeLimitFactor,
    idle_in_transaction_session_timeout: 5000,
  };
  return {
    connectionString,
    max,
    connectionTimeoutMillis: 3000 * timeLimitFactor,
    query_timeout: 1400 * timeLimitFactor,
    ...(prepared ? onServer : {}),
    idleTimeoutMillis: 30_000,
    keepAlive: true,
  };
}
