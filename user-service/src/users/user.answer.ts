import { instant } from '@shop/service-kit/http/fields';
import { z } from 'zod';

export const role = z.enum(['customer', 'admin'], { error: 'Role must be customer or admin' });

/** All that is ever told of a user: fields that are not named here are dropped. */
export const userAnswer = z.object({
  id: z.int(),
  username: z.string(),
  email: z.string(),
  role,
  email_verified: z.boolean(),
  created_at: instant,
  updated_at: instant,
});
export type UserAnswer = z.input<typeof userAnswer>;
