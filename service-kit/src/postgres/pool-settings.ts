import type { PoolConfig } from 'pg';

/**
 * Settings of every pool. A request waits for a connection no longer than its deadline allows (`openPool`); making a
 * connection may take longer than that: the next requests get it. If it were given up with the request, a busy machine
 * would make connections again and again and never get one. A statement has 1.2 s on the server, and 1.4 s until the
 * client stops waiting.
 * @param connectionString `postgresql://user:password@host:port/database`
 * @param max connections of this process
 * @param patience multiplies these times, where a wait says less about the database than about the machine
 */
export function poolSettings(
  connectionString: string,
  max: number,
  patience = 1,
): PoolConfig & { query_timeout: number } {
  return {
    connectionString,
    max,
    connectionTimeoutMillis: 3000 * patience,
    statement_timeout: 1200 * patience,
    query_timeout: 1400 * patience,
    lock_timeout: 1000 * patience,
    idle_in_transaction_session_timeout: 5000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
  };
}
