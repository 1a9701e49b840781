import { AsyncResource } from 'node:async_hooks';
import { Pool, type PoolClient, type QueryConfig } from 'pg';
import { remainingTime } from '../deadline/deadline.ts';
import { OutOfTime } from '../errors/http-errors.ts';
import { clientsOf } from './database-hosts.ts';
import type { PoolSettings } from './pool-settings.ts';
import { traceStatements } from './statement.spans.ts';

/**
 * A pool that takes back only clean connections: one that still waits for a response, or is inside a transaction, is closed
 * when it is released. `pg` drops a queued ROLLBACK when a query times out, and the client would then be released
 * without an error; the next request would run inside another request's transaction.
 *
 * Waiting for a connection and each statement take no longer than the request has left (`deadline.ts`). Without time
 * left they fail with OutOfTime, and nothing is sent. With several hosts, each gets a try before the wait fails.
 */
export function openPool(settings: PoolSettings): Pool {
  const { Client, hosts } = clientsOf(settings.connectionString);
  const pool = new Pool({ ...settings, Client });
  // After this event the pool checks whether the client has ended, and removes it then.
  pool.on('release', (_error, client) => {
    if (!isClean(client)) void client.end();
  });
  pool.on('connect', (client) => {
    boundStatements(client, settings.query_timeout);
    traceStatements(client);
  });
  if (hosts > 1) tryEachHost(pool, hosts);
  boundWaits(pool);
  return pool;
}

/** The pool was full or is closed: another host would not help. */
const NOT_OF_A_HOST = /timeout exceeded when trying to connect|calling end on the pool/;

function tryEachHost(pool: Pool, hosts: number): void {
  const connect = pool.connect.bind(pool) as (callback: Connected) => void;
  const patient = (callback: Connected, left = hosts): void => {
    connect((error, client, release) => {
      if (error === undefined || left === 1 || NOT_OF_A_HOST.test(error.message))
        callback(error, client, release);
      else patient(callback, left - 1);
    });
  };
  pool.connect = patient as typeof pool.connect;
}

/** `readyForQuery` is missing in the types of `pg`. */
type PooledClient = PoolClient & { readyForQuery: boolean };

function isClean(client: PoolClient): boolean {
  return (client as PooledClient).readyForQuery && client.getTransactionStatus() === 'I';
}

type Run = (statement: unknown, ...rest: unknown[]) => unknown;

function boundStatements(client: PoolClient, limit: number): void {
  const run = client.query.bind(client) as Run;
  const bounded: Run = (statement, ...rest) => {
    const left = remainingTime();
    const config = toConfig(statement);
    if (config === undefined) return run(statement, ...rest);
    // Even without time left a transaction is rolled back.
    if (config.text === 'ROLLBACK') return run({ ...config, query_timeout: Math.ceil(limit / 10) }, ...rest);
    if (left === undefined) return run(statement, ...rest);
    if (left < 1) return failed(rest.find(isCallback));
    return run({ ...config, query_timeout: Math.ceil(Math.min(left, limit)) }, ...rest);
  };
  client.query = bounded as typeof client.query;
}

/** Undefined for an object that submits itself, such as a cursor. */
function toConfig(statement: unknown): QueryConfig | undefined {
  if (typeof statement === 'string') return { text: statement };
  return 'submit' in (statement as object) ? undefined : (statement as QueryConfig);
}

type Connected = (error: Error | undefined, client?: PoolClient, release?: PoolClient['release']) => void;

const isCallback = (value: unknown): value is Connected => typeof value === 'function';

function failed(callback: Connected | undefined): Promise<never> | undefined {
  const error = new OutOfTime();
  if (callback === undefined) return Promise.reject(error);
  process.nextTick(callback, error);
  return undefined;
}

function boundWaits(pool: Pool): void {
  const connect = pool.connect.bind(pool) as (callback: Connected) => void;
  const bounded = (whenConnected: Connected): void => {
    const left = remainingTime();
    // The pool calls back in the context of the request that released the connection. `AsyncLocalStorage.bind` takes 3 µs
    // (Node 24) to 13 µs (Node 20) where this takes 0.1, because it defines a property that nobody reads.
    const context = new AsyncResource('shop:pool');
    const callback: Connected = (...connected) =>
      context.runInAsyncScope(whenConnected, undefined, ...connected);
    if (left === undefined) {
      connect(callback);
      return;
    }
    if (left < 1) {
      void failed(callback);
      return;
    }
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      callback(new OutOfTime());
    }, left);
    connect((error, client, release) => {
      clearTimeout(timer);
      // `pg` calls back before it marks a new connection as ready, and until then it would count as unclean.
      if (isLate) setImmediate(() => client?.release());
      else callback(error, client, release);
    });
  };
  const promised = () =>
    new Promise<PoolClient>((resolve, reject) => {
      bounded((error, client) => (client === undefined ? reject(error) : resolve(client)));
    });
  pool.connect = ((callback?: Connected) =>
    callback === undefined ? promised() : bounded(callback)) as typeof pool.connect;
}
