import { Pool, type PoolClient } from 'pg';
import { clientsOf } from './database-hosts.ts';
import type { PoolSettings } from './pool-settings.ts';

/**
 * A pool that takes back only clean connections: one that still waits for a response, or is inside a transaction, is closed
 * when it is released. `pg` drops a queued ROLLBACK when a query times out, and the client would then be released
 * without an error; the next request would run inside another request's transaction.
 *
 * A connection that is lost while it is in use is no event: its next statement fails. With several hosts, each gets a try
 * before the wait for a connection fails.
 */
export function openPool(settings: PoolSettings): Pool {
  const { Client, hosts } = clientsOf(settings.connectionString);
  const pool = new Pool({ ...settings, Client });
  // After this event the pool checks whether the client has ended, and removes it then.
  pool.on('release', (_error, client) => {
    if (!isClean(client)) void client.end();
  });
  pool.on('connect', (client) => client.on('error', () => undefined));
  if (hosts > 1) tryEachHost(pool, hosts);
  return pool;
}

/** Migrations take their time, also where the role has limits for the service's statements. */
export const NO_LIMITS = '-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0';
/** Milliseconds that such a connection may take to be made, to each host. */
const CONNECT_TIMEOUT = 5000;

/** Runs work on one connection outside the service's pool, to the host that takes writes; without a limit on its statements. */
export async function onOwnConnection<T>(
  connectionString: string,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const limits = { connectionTimeoutMillis: CONNECT_TIMEOUT, options: NO_LIMITS };
  const pool = openPool({ connectionString, max: 1, ...limits });
  try {
    const client = await pool.connect();
    return await work(client).finally(() => client.release(true));
  } finally {
    await pool.end();
  }
}

/** The pool was full or is closed: another host would not help. */
const NOT_OF_A_HOST = /timeout exceeded when trying to connect|calling end on the pool/;

function tryEachHost(pool: Pool, hosts: number): void {
  const connect = pool.connect.bind(pool);
  const patient = async (left: number): Promise<PoolClient> => {
    try {
      return await connect();
    } catch (error) {
      if (left === 1 || NOT_OF_A_HOST.test(String(error))) throw error;
      return patient(left - 1);
    }
  };
  // `pool.query` connects with a callback.
  pool.connect = ((callback?: Connected) => {
    const connecting = patient(hosts);
    if (callback === undefined) return connecting;
    connecting.then((client) => callback(undefined, client, client.release), callback);
    return undefined;
  }) as typeof pool.connect;
}

type Connected = (error: Error | undefined, client?: PoolClient, release?: PoolClient['release']) => void;

/** `readyForQuery` is missing in the types of `pg`. */
type PooledClient = PoolClient & { readyForQuery: boolean };

function isClean(client: PoolClient): boolean {
  return (client as PooledClient).readyForQuery && client.getTransactionStatus() === 'I';
}
