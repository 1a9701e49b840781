import { fieldCode } from '@shop/service-kit/http/fields';
import { lengthOf } from '@shop/service-kit/text/texts';
import { z } from 'zod';
import { ANY_PASSWORD, type PasswordRules } from './password.rules.ts';

const MAX_PASSWORD = 256;

/**
 * Accepted as is, never trimmed or normalised. Refuses what no hash could tell apart later: lone surrogates, which
 * have no bytes in UTF-8, and NUL, at which other bcrypt libraries stop. A refused password does not hide what is wrong
 * with the rest of the body.
 */
export function passwordField(label: string, rules: PasswordRules) {
  return z
    .string({
      error: ({ input }) =>
        input === undefined || input === null ? `${label} is required` : `${label} must be a string`,
    })
    .superRefine((value, context) => {
      for (const { error, ...code } of problemsOf(value, rules))
        context.addIssue({ code: 'custom', message: `${label} ${error}`, ...code });
    })
    .meta({
      minLength: rules.minLength,
      maxLength: MAX_PASSWORD,
      format: 'password',
      description: `Any characters, at least ${rules.minLength}; accepted as is, neither trimmed nor normalised.`,
    });
}

function problemsOf(value: string, { minLength, isCommon }: PasswordRules) {
  if (value === '') return [{ error: 'is required', ...fieldCode('required') }];
  if (!value.isWellFormed() || value.includes('\0'))
    return [{ error: 'contains characters that cannot be used', ...fieldCode('invalid_characters') }];
  const length = lengthOf(value);
  const tooShort = {
    error: `must be at least ${minLength} characters`,
    ...fieldCode('too_short', { minimum: minLength }),
  };
  const tooLong = {
    error: `must be at most ${MAX_PASSWORD} characters`,
    ...fieldCode('too_long', { maximum: MAX_PASSWORD }),
  };
  const tooCommon = { error: 'is too common, choose one that others do not use', ...fieldCode('too_common') };
  return [
    ...(length < minLength ? [tooShort] : []),
    ...(length > MAX_PASSWORD ? [tooLong] : []),
    ...(isCommon(value) ? [tooCommon] : []),
  ];
}

/** A password to be compared: short ones are wrong, not invalid, whatever the rule was when it was set. */
export const presentedPassword = (label: string) => passwordField(label, ANY_PASSWORD);
