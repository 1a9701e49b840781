/** An expected failure. Users see only its message, which must explain what to do. */
export class Failure extends Error {}

/** The user interrupted the command (Ctrl-C, SIGTERM); nothing failed. */
export class Interrupted extends Error {
  constructor() {
    super('Interrupted');
  }
}

/** Exit code of a command that the user interrupted. */
export const INTERRUPTED_BY_USER = 130;

const SYSTEM_ERRORS: Record<string, string> = {
  ENOSPC: 'The disk is full',
  EDQUOT: 'The disk quota is used up',
  EACCES: 'Permission denied',
  EPERM: 'Permission denied',
  EROFS: 'The file system is read-only',
};

/** The message of an expected failure, the stack of any other. */
export function explain(error: unknown): string {
  if (error instanceof Failure || error instanceof Interrupted) return error.message;
  const text = SYSTEM_ERRORS[errorCode(error) ?? ''];
  if (text) return error instanceof Error && 'path' in error ? `${text}: ${error.path}` : text;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** The error's code, or its message. */
export function reasonOf(error: unknown) {
  return errorCode(error) ?? (error instanceof Error ? error.message : String(error));
}
