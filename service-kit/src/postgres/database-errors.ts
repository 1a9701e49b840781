import { OutOfTime } from '../errors/http-errors.ts';

/** What Postgres or its driver said, as Prisma's adapter passes it on. */
interface AdapterCause {
  /** SQLSTATE, such as `23505`. */
  originalCode?: string;
  kind?: string;
  constraint?: { index?: string };
}

interface DatabaseError {
  code?: unknown;
  message?: unknown;
  meta?: { driverAdapterError?: { cause?: AdapterCause } };
}

const CONNECTION_KINDS = new Set([
  'DatabaseNotReachable',
  'SocketTimeout',
  'ConnectionClosed',
  'TooManyConnections',
]);
const CONNECTION_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'P1001',
  'P1002',
  'P1008',
  'P1017',
  // A transaction that could not start, or did not finish, within Prisma's time limit.
  'P2028',
]);
/**
 * SQLSTATE classes after which the same request may succeed a moment later: connection lost (08), too many
 * connections or out of memory (53), statement timeout and shutdown (57), lock timeout (55P03), deadlock and serialisation
 * (40), a primary that has become a replica (25006).
 */
const PASSING_STATES = /^(08|53|57|40|55P03|25006)/;
/** Plain errors of the `pg` pool and client have a text only. */
const PASSING_TEXTS =
  /timeout exceeded when trying to connect|Connection terminated|Query read timeout|connection timeout|The request took too long|Client has encountered a connection error|does not take writes/i;

const causeOf = (error: unknown): AdapterCause =>
  (error as DatabaseError | null)?.meta?.driverAdapterError?.cause ?? {};

/** Five characters, one of them a digit: this excludes `EPIPE`. */
const SQLSTATE = /^(?=.*\d)[0-9A-Z]{5}$/;

/** SQLSTATE of a failed statement, through a model call, raw SQL or `pg` itself. */
export function sqlStateOf(error: unknown): string | undefined {
  const code = (error as DatabaseError | null)?.code;
  return causeOf(error).originalCode ?? (typeof code === 'string' && SQLSTATE.test(code) ? code : undefined);
}

/** Whether a unique index refused the write: any index, or the one that is named. */
export function isUniqueViolation(error: unknown, index?: string): boolean {
  if (sqlStateOf(error) !== '23505') return false;
  const named = causeOf(error).constraint?.index ?? (error as { constraint?: string }).constraint;
  return index === undefined || named === index;
}

/** Whether another session kept a row or table locked for too long. */
export function isLockTimeout(error: unknown): boolean {
  return sqlStateOf(error) === '55P03';
}

/** A connection that was lost (class 08) or ended by the server (57P01, 57P02) may have committed before. */
const UNKNOWN_OUTCOME = /^(08|57P01|57P02)/;

/** Whether Postgres itself reported the failure, so that the statement certainly had no effect. */
export function wasRolledBack(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state !== undefined && !UNKNOWN_OUTCOME.test(state);
}

/**
 * Whether a failed statement certainly had no effect and may succeed when it is repeated. False if the connection was lost
 * after the statement was sent: the outcome is unknown then.
 */
export function wasNotDone(error: unknown): boolean {
  if (error instanceof OutOfTime) return true;
  const state = sqlStateOf(error);
  if (state !== undefined) return wasRolledBack(error) && PASSING_STATES.test(state);
  const { code, message } = (error ?? {}) as DatabaseError;
  return (
    code === 'ECONNREFUSED' ||
    /timeout exceeded when trying to connect|does not take writes/.test(String(message))
  );
}

/** Whether the database was unavailable or overloaded, which becomes a 503 and not a 500. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (error instanceof OutOfTime) return true;
  const { code, message } = (error ?? {}) as DatabaseError;
  const state = sqlStateOf(error);
  if (state !== undefined && !state.startsWith('P')) return PASSING_STATES.test(state);
  if (typeof code === 'string' && CONNECTION_CODES.has(code)) return true;
  if (CONNECTION_KINDS.has(causeOf(error).kind ?? '')) return true;
  return typeof message === 'string' && PASSING_TEXTS.test(message);
}
