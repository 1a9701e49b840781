/** A foreseen failure. Its message is all the user sees, so it says what to do. */
export class Failure extends Error {}

/** Somebody asked to stop (Ctrl-C, SIGTERM): nothing failed. */
export class Interrupted extends Error {
  constructor() {
    super('Interrupted');
  }
}

/** @type {Record<string, string>} */
const SYSTEM_ERRORS = {
  ENOSPC: 'The disk is full',
  EDQUOT: 'The disk quota is used up',
  EACCES: 'Permission denied',
  EPERM: 'Permission denied',
  EROFS: 'The file system is read-only',
};

/**
 * One sentence for what was foreseen, the stack for what was not.
 * @param {unknown} error
 * @returns {string}
 */
export function explain(error) {
  if (error instanceof Failure || error instanceof Interrupted) return error.message;
  const code = errorCode(error);
  const text = code && SYSTEM_ERRORS[code];
  if (text) {
    const path = error instanceof Error && 'path' in error ? `: ${error.path}` : '';
    return `${text}${path}`;
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/**
 * @param {unknown} error
 * @returns {string | undefined}
 */
export function errorCode(error) {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
