import { instantOf } from '@shop/service-kit/http/fields';
import { z } from 'zod';
import type { ActiveSession } from './session.repository.ts';

export const sessionResponse = z
  .object({
    id: z.string().meta({
      description: 'Id of the session.',
      format: 'uuid',
      examples: ['5b0e0c3a-8c2f-4f0e-9a57-3d1f6c1f2b7a'],
    }),
    created_at: instantOf('When it began.'),
    last_used_at: instantOf('When tokens were last issued for it.'),
    user_agent: z
      .string()
      .nullable()
      .meta({
        description: 'The browser or app that used it last.',
        maxLength: 500,
        examples: ['Mozilla/5.0'],
      }),
    ip: z
      .string()
      .nullable()
      .meta({ description: 'The address that used it last.', maxLength: 45, examples: ['203.0.113.7'] }),
    current: z.boolean().meta({ description: 'Whether this request uses it.', examples: [true] }),
  })
  .meta({ id: 'Session', description: "A user's session." });

/** @param current the session of the request */
export function toSessionResponse(current: string) {
  return ({ id, createdAt, lastUsedAt, userAgent, ip }: ActiveSession): z.input<typeof sessionResponse> => ({
    id,
    created_at: createdAt,
    last_used_at: lastUsedAt,
    user_agent: userAgent,
    ip,
    current: id === current,
  });
}
