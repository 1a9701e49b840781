import { Pool, type PoolClient, type PoolConfig } from 'pg';

/**
 * A pool that takes back a connection clean or not at all: one that still waits for a response, or is inside a
 * transaction, is ended when it is released. `pg` drops a queued ROLLBACK when a query times out, and Prisma's adapter
 * releases the client without an error then; the next request would run inside a transaction that is not its own.
 */
export function openPool(settings: PoolConfig): Pool {
  const pool = new Pool(settings);
  // The pool asks after this event whether the client has ended, and forgets it then.
  pool.on('release', (_error, client) => {
    if (!isClean(client)) void client.end();
  });
  return pool;
}

/** What `pg` sets from ReadyForQuery; the first of them is missing in its types. */
type PooledClient = PoolClient & { readyForQuery: boolean };

function isClean(client: PoolClient): boolean {
  return (client as PooledClient).readyForQuery && client.getTransactionStatus() === 'I';
}
