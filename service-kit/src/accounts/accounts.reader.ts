import type { Logger } from 'pino';
import { Gauge, type Registry } from 'prom-client';
import type { Metrics } from '../runtime/metrics.ts';
import type { ReadChanges } from './account-changes.ts';
import type { Accounts } from './accounts.ts';
import { createKnownChanges } from './known-changes.ts';

/** Milliseconds between two reads: well within the 5 s of docs/http-api.md. */
const INTERVAL = 1000;
/** Milliseconds between two attempts before the first successful read. */
const FIRST_INTERVAL = 200;

interface AccountsReaderOptions {
  readChanges: ReadChanges;
  config: { ACCOUNTS_STALE_AFTER: number };
  logger: Logger;
  metrics: Pick<Metrics, 'registry'>;
  /** Milliseconds. */
  interval?: number;
}

/** A successful read. */
interface Reading {
  /** By this process's monotonic clock, in milliseconds of `performance.now()`. */
  at: number;
  /** Seconds since 1970 by the clock of user-service's database. */
  now: number;
}

/**
 * Reads changes of accounts once a second. While user-service is unavailable it goes on with its copy, and reports this.
 * Times come from user-service's database, which also dates the tokens: clocks of other machines do not matter.
 * @returns after the first attempt, successful or not
 */
export async function startAccountsReader(options: AccountsReaderOptions): Promise<Accounts> {
  const { readChanges, config, logger, metrics } = options;
  const { interval = INTERVAL } = options;
  const { ACCOUNTS_STALE_AFTER: staleAfter } = config;
  const known = createKnownChanges();
  const startedAt = performance.now();
  let cursor: string | undefined;
  let last: Reading | undefined;
  let failing = false;
  let isReported = false;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const now = () =>
    last === undefined ? Date.now() / 1000 : last.now + (performance.now() - last.at) / 1000;
  const age = () => (performance.now() - (last?.at ?? startedAt)) / 1000;

  const readAll = async () => {
    for (let more = true; more && !closed; ) {
      const page = await readChanges(cursor);
      for (const change of page.changes) known.noteChange(change);
      cursor = page.next;
      more = page.more;
      if (!more) last = { at: performance.now(), now: page.now };
    }
    known.forgetExpired(now());
  };
  const read = () =>
    readAll().then(
      () => {
        if (failing) logger.info('account changes are read again');
        failing = false;
        isReported = false;
      },
      (error: Error) => {
        if (closed) return;
        if (!failing) logger.warn({ reason: error.message }, 'account changes cannot be read');
        failing = true;
        if (isReported || age() < staleAfter) return;
        isReported = true;
        logger.error({ seconds: Math.round(age()) }, 'degraded: account changes are out of date');
      },
    );

  const keepReading = async () => {
    await read();
    if (!closed) timer = setTimeout(keepReading, last === undefined ? FIRST_INTERVAL : interval).unref();
  };

  const isStale = () => last === undefined || age() > staleAfter;
  registerGauges(metrics.registry, {
    account_changes_age_seconds: ['Time since the changes of accounts were last read', age],
    account_changes_known: ['Revoked sessions, changed roles and deleted users that are known', known.size],
    account_changes_degraded: ['1 while the changes of accounts are out of date', () => Number(isStale())],
  });
  await keepReading();
  return {
    isKnown: () => last !== undefined,
    isVoid: known.isVoid,
    now,
    voidTokens(tokens) {
      for (const entry of tokens) known.note(entry, now());
    },
    checks: {
      async account_changes() {
        if (isStale()) throw new Error('account changes are out of date');
      },
    },
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

function registerGauges(registry: Registry, gauges: Record<string, [help: string, value: () => number]>) {
  for (const [name, [help, value]] of Object.entries(gauges))
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
}
