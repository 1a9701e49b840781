import { INT32_MAX, instantOf } from '@shop/service-kit/http/fields';
import { z } from 'zod';
import { SECURITY_EVENTS, type StoredEvent } from './audit.events.ts';

const nullableText = (description: string, maxLength: number, example: string) =>
  z
    .string()
    .nullable()
    .meta({ description, maxLength, examples: [example] });
const userId = (description: string) =>
  z
    .int()
    .nullable()
    .meta({ description, minimum: 1, maximum: INT32_MAX, examples: [1] });
export const auditResponse = z
  .object({
    id: z.int().meta({ description: 'Id of the event.', minimum: 1, examples: [1] }),
    event: z.string().meta({ description: 'What happened.', maxLength: 50, examples: [SECURITY_EVENTS[0]] }),
    user_id: userId('Whom it is about; null for an unknown name.'),
    actor_id: userId('Who did it; null when not signed in.'),
    ip: nullableText('Address of the client.', 45, '203.0.113.7'),
    user_agent: nullableText('Browser or app of the client.', 500, 'Mozilla/5.0'),
    request_id: nullableText('`X-Request-Id` of the request.', 128, '5b0e0c3a-8c2f-4f0e-9a57-3d1f6c1f2b7a'),
    details: z
      .record(z.string(), z.union([z.string(), z.number()]).meta({ maxLength: 300 }))
      .meta({ description: 'Further facts about the event.', examples: [{}] }),
    created_at: instantOf('When it happened.'),
  })
  .meta({ id: 'AuditEvent', description: 'A security event.' });

export function toAuditResponse(stored: StoredEvent): z.input<typeof auditResponse> {
  const { id, event, userId, actorId, ip, userAgent, requestId, details, createdAt } = stored;
  return {
    id,
    event,
    user_id: userId,
    actor_id: actorId,
    ip,
    user_agent: userAgent,
    request_id: requestId,
    details,
    created_at: createdAt,
  };
}
