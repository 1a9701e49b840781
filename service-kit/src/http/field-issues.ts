import type { z } from 'zod';
import { type FieldCode, type FieldIssue, MAX_ISSUES } from '../errors/app-error.ts';
import { shorten } from '../text/texts.ts';
import { isMissing } from './fields.ts';

/** Characters of an unknown name that an error repeats. */
export const MAX_NAME = 40;

/** The first issues of a failed parse. Needs `reportInput: true`: missing fields are recognised by their input. */
export function fieldIssuesOf({ issues }: z.ZodError): FieldIssue[] {
  return issues.slice(0, MAX_ISSUES).flatMap(toFieldIssues);
}

function toFieldIssues(issue: z.core.$ZodIssue): FieldIssue[] {
  const path = issue.path.map(String).join('.');
  if (issue.code !== 'unrecognized_keys')
    return [{ path, message: issue.message, code: codeOf(issue), ...boundsOf(issue) }];
  return issue.keys.slice(0, MAX_ISSUES).map((key) => {
    const name = shorten(key, MAX_NAME);
    return {
      path: path === '' ? name : `${path}.${name}`,
      code: 'unknown_field',
      message: `Unknown field: ${name}`,
    };
  });
}

const TYPES: Record<string, FieldCode> = {
  string: 'not_a_string',
  number: 'not_a_number',
  int: 'not_an_integer',
  boolean: 'not_a_boolean',
  object: 'not_an_object',
  array: 'not_a_list',
};

function codeOf(issue: z.core.$ZodIssue): FieldCode {
  if (issue.code !== 'custom' && isMissing(issue.input)) return 'required';
  switch (issue.code) {
    case 'custom':
      return (issue.params?.['code'] as FieldCode | undefined) ?? 'invalid';
    case 'invalid_type':
      return TYPES[issue.expected] ?? 'invalid';
    case 'invalid_format':
      return issue.format === 'uuid' ? 'not_a_uuid' : 'invalid';
    case 'invalid_value':
      return 'not_allowed';
    case 'too_small':
      return isSized(issue.origin) ? 'too_short' : 'too_small';
    case 'too_big':
      return isSized(issue.origin) ? 'too_long' : 'too_large';
    default:
      return 'invalid';
  }
}

const isSized = (origin: string) => origin === 'string' || origin === 'array';

function boundsOf(issue: z.core.$ZodIssue): Pick<FieldIssue, 'minimum' | 'maximum'> {
  const { minimum, maximum } =
    issue.code === 'custom' ? (issue.params ?? {}) : (issue as { minimum?: unknown; maximum?: unknown });
  return {
    ...(typeof minimum === 'number' ? { minimum } : {}),
    ...(typeof maximum === 'number' ? { maximum } : {}),
  };
}
