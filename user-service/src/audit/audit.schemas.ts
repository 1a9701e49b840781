import { INT32_MAX, inOrder, integerQuery, rangeQuery } from '@shop/service-kit/http/fields';
import { pagingQuery, pagingResponse } from '@shop/service-kit/http/paging';
import { z } from 'zod';
import { SECURITY_EVENTS } from './audit.events.ts';
import { auditResponse } from './audit.response.ts';

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

export const auditListResponse = z
  .object({
    events: z.array(auditResponse).meta({ description: 'The rows of this page.', maxItems: 100 }),
    ...pagingResponse,
    total_is_estimate: z
      .boolean()
      .meta({ description: 'There may be more rows than `total` says.', examples: [false] }),
  })
  .meta({ id: 'AuditEventPage', description: 'Security events, newest first.' });
