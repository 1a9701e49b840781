import type { PoolConfig } from 'pg';

/**
 * Settings of every pool, so that no request waits longer than about 2 s for a database that is busy, paused
 * or gone: 1 s for a connection, or 1.2 s for the server to finish and 1.4 s until the client stops waiting. (With
 * 500 ms for a connection, a rush of 100 writes on one product was turned away on a slow machine.)
 * @param connectionString `postgresql://user:password@host:port/database`
 * @param max connections of this process
 * @param patience multiplies these times, where a wait tells less of the database than of the machine
 */
export function poolSettings(
  connectionString: string,
  max: number,
  patience = 1,
): PoolConfig & { query_timeout: number } {
  return {
    connectionString,
    max,
    connectionTimeoutMillis: 1000 * patience,
    statement_timeout: 1200 * patience,
    query_timeout: 1400 * patience,
    lock_timeout: 1000 * patience,
    idle_in_transaction_session_timeout: 5000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
  };
}
