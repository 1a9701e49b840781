import { INT32_MAX, inOrder, instant, integerQuery, rangeQuery } from '@shop/service-kit/http/fields';
import { pagingAnswer, pagingQuery } from '@shop/service-kit/http/paging';
import { z } from 'zod';
import { SECURITY_EVENTS } from './audit.events.ts';

export const auditQuery = z
  .object({
    ...pagingQuery(20),
    user_id: integerQuery('user_id', { min: 1, max: INT32_MAX }).optional(),
    event: z
      .enum(SECURITY_EVENTS, { error: `event must be one of: ${SECURITY_EVENTS.join(', ')}` })
      .optional(),
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

const auditAnswer = z.object({
  id: z.int(),
  event: z.string(),
  user_id: z.int().nullable(),
  actor_id: z.int().nullable(),
  ip: z.string().nullable(),
  user_agent: z.string().nullable(),
  request_id: z.string().nullable(),
  details: z.record(z.string(), z.union([z.string(), z.number()])),
  created_at: instant,
});
export interface AuditAnswer extends Omit<z.output<typeof auditAnswer>, 'created_at'> {
  created_at: Date;
}

export const auditListAnswer = z.object({
  events: z.array(auditAnswer),
  ...pagingAnswer,
  /** True where there are more than `total` says. */
  total_is_estimate: z.boolean(),
});
