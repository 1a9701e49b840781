import { fieldCode, message } from '@shop/service-kit/http/fields';
import { lengthOf } from '@shop/service-kit/text/texts';
import { z } from 'zod';
import { mailToken } from '../mail/mail-token.ts';
import { tokensAnswer } from '../sessions/tokens.answer.ts';
import { email } from '../users/user.fields.ts';
import { ANY_PASSWORD, type PasswordRules } from './password.rules.ts';

const MAX_PASSWORD = 256;

/**
 * Taken as it is, never trimmed or normalised. Refused is what no hash could distinguish later: lone surrogates, which
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
      description: `Any characters, at least ${rules.minLength}; taken as it is, neither trimmed nor normalised.`,
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

export function createPasswordSchemas(rules: PasswordRules) {
  const newPassword = passwordField('New password', rules).meta({ example: 'staple a new battery' });
  return {
    change: z.strictObject({
      current_password: presentedPassword('Current password').meta({
        description: 'The password that is valid now.',
        example: 'correct horse battery',
      }),
      new_password: newPassword,
    }),
    changed: z.object({ message: message('Password changed successfully'), tokens: tokensAnswer }),
    resetRequest: z.strictObject({ email }),
    reset: z.strictObject({ token: mailToken, new_password: newPassword }),
    requested: z.object({
      message: message('If an account has this address, a mail with a link is on its way'),
    }),
    done: z.object({ message: message('Password reset successfully') }),
  };
}

export type PasswordSchemas = ReturnType<typeof createPasswordSchemas>;
export type PasswordChange = z.output<PasswordSchemas['change']>;
