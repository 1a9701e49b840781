import { message } from '@shop/service-kit/http/fields';
import { z } from 'zod';
import { passwordField, presentedPassword } from '../credentials/password.fields.ts';
import type { PasswordRules } from '../credentials/password.rules.ts';
import { email } from '../identity/identity.fields.ts';
import { mailToken } from '../mail/mail-token.ts';
import { tokensResponse } from '../tokens/tokens.response.ts';

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
    changed: z.object({ message: message('Password changed successfully'), tokens: tokensResponse }),
    resetRequest: z.strictObject({ email }),
    reset: z.strictObject({ token: mailToken, new_password: newPassword }),
    requested: z.object({
      message: message('If an account has this address, an email with a link is on its way'),
    }),
    done: z.object({ message: message('Password reset successfully') }),
  };
}

export type PasswordSchemas = ReturnType<typeof createPasswordSchemas>;
export type PasswordChange = z.output<PasswordSchemas['change']>;
