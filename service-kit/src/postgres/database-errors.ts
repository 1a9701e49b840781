import { OutOfTime } from '../errors/http-errors.ts';

/** An error of `pg`, or of its socket. */
interface DatabaseError {
  code?: unknown;
  message?: unknown;
  /** The index or constraint that refused a write. */
  constraint?: unknown;
}

const CONNECTION_CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT']);
/**
 * SQLSTATE classes after which the same request may succeed a moment later: connection lost (08), too many
 * connections or out of memory (53), statement timeout and shutdown (57), lock timeout (55P03), deadlock and serialisation
 * (40), a primary that has become a replica (25006).
 */
const PASSING_STATES = /^(08|53|57|40|55P03|25006)/;
/** Plain errors of the `pg` pool and client have a text only. */
const PASSING_TEXTS =
  /timeout exceeded when trying to connect|Connection terminated|Query read timeout|connection timeout|Client has encountered a connection error/i;

/** Five characters, one of them a digit: this excludes `EPIPE`. */
const SQLSTATE = /^(?=.*\d)[0-9A-Z]{5}$/;

/** SQLSTATE of a failed statement, such as `23505`. */
export function sqlStateOf(error: unknown): string | undefined {
  const code = (error as DatabaseError | null)?.code;
  return typeof code === 'string' && SQLSTATE.test(code) ? code : undefined;
}

/** Whether a unique index refused the write: any index, or the one that is named. */
export function isUniqueViolation(error: unknown, index?: string): boolean {
  if (sqlStateOf(error) !== '23505') return false;
  return index === undefined || (error as DatabaseError).constraint === index;
}

/** Whether another session kept a row or table locked for too long. */
export function isLockTimeout(error: unknown): boolean {
  return sqlStateOf(error) === '55P03';
}

/** Whether a statement was given up because it took too long, or was cancelled. */
export function isStatementTimeout(error: unknown): boolean {
  return sqlStateOf(error) === '57014';
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
  return code === 'ECONNREFUSED' || /timeout exceeded when trying to connect/.test(String(message));
}

/** Whether the database was unavailable or overloaded, which becomes a 503 and not a 500. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (error instanceof OutOfTime) return true;
  const { code, message } = (error ?? {}) as DatabaseError;
  const state = sqlStateOf(error);
  if (state !== undefined) return PASSING_STATES.test(state);
  if (typeof code === 'string' && CONNECTION_CODES.has(code)) return true;
  return typeof message === 'string' && PASSING_TEXTS.test(message);
}
