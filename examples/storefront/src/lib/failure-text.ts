import { ShopError } from '@shop/client';
import { texts } from '../i18n/index.ts';

interface FieldIssue {
  path: string;
  code: string;
  message: string;
  minimum?: number;
  maximum?: number;
}

/** What a failure is called, in the chosen language. */
export function failureText(failure: unknown): string {
  const { failures } = texts.value;
  if (!(failure instanceof ShopError)) return failures.unknown;
  const known = (failures as Record<string, unknown>)[failure.code];
  if (typeof known === 'string') return known;
  // What is not translated is at least said in the language of the API.
  return failure.message || failures.unknown;
}

/** What finds the request in the logs of the shop, where it is our fault. */
export const referenceOf = (failure: unknown) =>
  failure instanceof ShopError && failure.status >= 500 ? failure.requestId : undefined;

/** What is wrong with the field of this path. */
export function fieldProblem(failure: unknown, path: string): string | undefined {
  if (!(failure instanceof ShopError)) return undefined;
  if (failure.code === 'validation_failed') {
    const issues: FieldIssue[] = failure.details;
    const issue = issues.find((known) => known.path === path);
    if (issue === undefined) return undefined;
    const text = (texts.value.issues as Record<string, ((known: FieldIssue) => string) | undefined>)[
      issue.code
    ];
    return text?.(issue) ?? issue.message;
  }
  return FIELD_OF[failure.code] === path ? failureText(failure) : undefined;
}

/** Refusals that are about one field. */
const FIELD_OF: Record<string, string> = {
  username_taken: 'username',
  email_taken: 'email',
  sku_taken: 'sku',
  wrong_password: 'current_password',
};
