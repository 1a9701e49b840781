import { defineRoute } from '@shop/service-kit/http/define-route';
import { auditListResponse, auditQuery } from './audit.schemas.ts';
import type { AuditUseCases } from './audit.use-cases.ts';

export function auditRoutes(audit: AuditUseCases) {
  return [
    defineRoute({
      method: 'get',
      path: '/api/users/audit',
      operationId: 'listAuditEvents',
      tag: 'Audit',
      summary: 'List security events, newest first',
      description:
        'Who did what, to whom and from where: sign-ins, failed logins, changes of passwords, roles and accounts.',
      who: 'admin',
      limit: 'user_reads',
      query: auditQuery,
      status: 200,
      response: auditListResponse,
      handler: ({ query }) => audit.list(query),
    }),
  ];
}
