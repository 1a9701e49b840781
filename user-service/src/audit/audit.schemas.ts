import { INT32_MAX, inOrder, instantOf, integerQuery, rangeQuery } from '@shop/service-kit/http/fields';
import { pagingAnswer, pagingQuery } from '@shop/service-kit/http/paging';
import { z } from 'zod';
import { SECURITY_EVENTS } from './audit.events.ts';

export const auditQuery = z
  .object({
    ...pagingQuery(20),
    user_id: integerQuery('user_id', { min: 1, max: INT32_MAX })
      .optional()
      .meta({ description: 'Only events about this user.' }),
    event: z
      .enum(SECURITY_EVENTS, { error: `event must be one of: ${SECURITY_EVENTS.join(', ')}` })
      .optional()
      .meta({ description: 'Only events of this kind.' }),
    ...rangeQuery(),
  })
  .refine(...inOrder);
export type AuditQuery = z.output<typeof auditQuery>;
export type AuditFilter = Pick<AuditQuery, 'user_id' | 'event' | 'from' | 'to'>;

/** Postgres knows no year 0. */
const time = z.iso.datetime().refine((text) => !text.startsWith('0000'));
/** Cursor of the trail: time and id of the last event shown. */
export const auditCursor = z.tuple([time, z.int().min(1)]).readonly();
export type AuditKey = z.output<typeof auditCursor>;

const said = (description: string, maxLength: number, example: string) =>
  z
    .string()
    .nullable()
    .meta({ description, maxLength, examples: [example] });
const userId = (description: string) =>
  z
    .int()
    .nullable()
    .meta({ description, minimum: 1, maximum: INT32_MAX, examples: [1] });
const auditAnswer = z
  .object({
    id: z.int().meta({ description: 'Id of the event.', minimum: 1, examples: [1] }),
    event: z.string().meta({ description: 'What happened.', maxLength: 50, examples: [SECURITY_EVENTS[0]] }),
    user_id: userId('Whom it is about; null for an unknown name.'),
    actor_id: userId('Who did it; null for somebody who was not signed in.'),
    ip: said('Address of the client.', 45, '203.0.113.7'),
    user_agent: said('Browser or app of the client.', 500, 'Mozilla/5.0'),
    request_id: said('`X-Request-Id` of the request.', 128, '5b0e0c3a-8c2f-4f0e-9a57-3d1f6c1f2b7a'),
    details: z
      .record(z.string(), z.union([z.string(), z.number()]).meta({ maxLength: 300 }))
      .meta({ description: 'What else belongs to the event.', examples: [{}] }),
    created_at: instantOf('When it happened.'),
  })
  .meta({ id: 'AuditEvent', description: 'A security event.' });
export interface AuditAnswer extends Omit<z.output<typeof auditAnswer>, 'created_at'> {
  created_at: Date;
}

export const auditListAnswer = z
  .object({
    events: z.array(auditAnswer).meta({ description: 'The rows of this page.', maxItems: 100 }),
    ...pagingAnswer,
    total_is_estimate: z
      .boolean()
      .meta({ description: 'There may be more rows than `total` says.', examples: [false] }),
  })
  .meta({ id: 'AuditEventPage', description: 'Security events, newest first.' });
