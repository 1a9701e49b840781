import type { Pool, PoolClient, QueryConfig, QueryResult } from 'pg';
import { remainingTime } from '../deadline/deadline.ts';
import { OutOfTime } from '../errors/http-errors.ts';
import { sqlStateOf } from './database-errors.ts';
import { inStatementSpan } from './statement.spans.ts';

/** Time limit of a statement in milliseconds, for pools that have none. */
const LONGEST = 10_000;
/** The share of the limit in which a connection must be clean after a failure, or it is closed. */
const CLEANED_WITHIN = 0.1;

/** Runs a statement on the connection, within the time that the current work has left, as a span of its trace. */
export type Send = (statement: QueryConfig) => Promise<QueryResult>;

/**
 * Runs work on a connection of the pool. Waiting for the connection and each statement take no longer than the current work
 * has left (`deadline.ts`). Without time left they fail with OutOfTime, and nothing is sent.
 * After a failure the connection is made clean, also without time left; if that is not possible, the pool closes it.
 * @param inTransaction whether the work begins a transaction
 */
export async function onConnection<T>(
  pool: Pool,
  inTransaction: boolean,
  work: (send: Send) => Promise<T>,
): Promise<T> {
  const client = await connectInTime(pool);
  const { query_timeout: limit = LONGEST } = pool.options as { query_timeout?: number };
  try {
    return await work((statement) => send(client, statement, limit));
  } catch (error) {
    const clean = { text: inTransaction ? 'ROLLBACK' : '', query_timeout: Math.ceil(limit * CLEANED_WITHIN) };
    // A reported error arrives before the connection can be used again. Without one there is nothing to wait for.
    if (inTransaction || sqlStateOf(error) !== undefined) await client.query(clean).catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
}

function send(client: PoolClient, statement: QueryConfig, limit: number): Promise<QueryResult> {
  const left = remainingTime();
  if (left === undefined) return inStatementSpan(client, statement.text, () => client.query(statement));
  if (left < 1) return Promise.reject(new OutOfTime());
  const bounded = { ...statement, query_timeout: Math.ceil(Math.min(left, limit)) };
  return inStatementSpan(client, statement.text, () => client.query(bounded));
}

async function connectInTime(pool: Pool): Promise<PoolClient> {
  const left = remainingTime();
  if (left === undefined) return pool.connect();
  if (left < 1) throw new OutOfTime();
  return new Promise((resolve, reject) => {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      reject(new OutOfTime());
    }, left);
    pool.connect().then(
      (client) => {
        clearTimeout(timer);
        // `pg` resolves before it marks a new connection as ready, and until then it would count as unclean.
        if (isLate) setImmediate(() => client.release());
        else resolve(client);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
