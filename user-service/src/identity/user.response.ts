import { id, instantOf, textOf } from '@shop/service-kit/http/fields';
import { z } from 'zod';
import type { Account } from './account.ts';
import { MAX_EMAIL, MAX_USERNAME } from './identity.ts';

export const role = z.enum(['customer', 'admin'], { error: 'Role must be customer or admin' });

/** All that clients see of a user: fields that are not named here are dropped. */
export const userResponse = z
  .object({
    id: id('Id of the user.'),
    username: textOf('Unique in any case and Unicode form.', MAX_USERNAME, 'ada_lovelace'),
    email: z.string().meta({
      description: 'Unique in any case and Unicode form.',
      format: 'idn-email',
      maxLength: MAX_EMAIL,
      examples: ['ada_lovelace@example.com'],
    }),
    role: role.meta({ description: 'What the user may do.', examples: ['customer'] }),
    email_verified: z
      .boolean()
      .meta({ description: 'Whether the user has opened a link that was emailed there.', examples: [false] }),
    created_at: instantOf('When the account was opened.'),
    updated_at: instantOf('When it last changed.'),
  })
  .meta({ id: 'User', description: 'An account.' });
export type UserResponse = z.input<typeof userResponse>;

export function toUserResponse(account: Account): UserResponse {
  const { id, username, email, role, emailVerified, createdAt, updatedAt } = account;
  return {
    id,
    username,
    email,
    role,
    email_verified: emailVerified,
    created_at: createdAt,
    updated_at: updatedAt,
  };
}
