import { booleanQuery } from '@shop/service-kit/http/fields';
import { z } from 'zod';

export const importQuery = z.object({ dry_run: booleanQuery('dry_run').default(false) });

export const importAnswer = z.object({
  created: z.int(),
  /** Rows whose product was there, whether or not they change it. */
  updated: z.int(),
  failed: z.int(),
  errors: z.array(z.object({ line: z.int(), message: z.string() })),
  /** There are more refused rows than are listed. */
  errors_truncated: z.boolean(),
});
