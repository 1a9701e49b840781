import { AppError, defineError } from '@shop/service-kit/errors/app-error';
import { Forbidden, Unavailable } from '@shop/service-kit/errors/http-errors';

export const UnreadableFile = defineError(400, 'unreadable_file', (detail: string) => detail, undefined, {
  sample: ['The first line must name the columns'],
});
export const ImportRunning = defineError(
  409,
  'import_running',
  'You already have an import running; wait until it has finished',
);
export const TooManyFailures = defineError(
  400,
  'too_many_failures',
  (limit: number) => `More than ${limit} rows of the file were refused; the rows after them were not read`,
  undefined,
  { sample: [10_000] },
);

/** The same error with the counts up to that point. */
export function withOutcome(error: AppError, outcome: Record<string, unknown>): AppError {
  const members = { ...error.members, ...outcome };
  return new AppError(
    error.status,
    error.code,
    error.message,
    { members, headers: error.headers },
    error.cause,
  );
}

/** The expected failures of each operation: what its use-case may throw. */
export const errorsOf = {
  importProducts: [Forbidden, UnreadableFile, TooManyFailures, ImportRunning, Unavailable],
  exportProducts: [Forbidden],
};
