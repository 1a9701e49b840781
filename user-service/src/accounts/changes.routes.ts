import { CHANGES_PATH, changesPage, type ReadChanges } from '@shop/service-kit/accounts/account-changes';
import { defineRoute } from '@shop/service-kit/http/define-route';
import { z } from 'zod';

const changesQuery = z.strictObject({
  after: z
    .string()
    .regex(/^\d{1,18}$/, 'Cursor is not one of ours')
    .optional(),
});

/** Not limited: each replica of each service reads once a second. */
export function changesRoutes(readChanges: ReadChanges) {
  return [
    defineRoute({
      method: 'get',
      path: CHANGES_PATH,
      summary: 'List changes of accounts: sessions revoked, tokens made void, users deleted',
      who: 'service',
      limit: false,
      isPolled: true,
      query: changesQuery,
      status: 200,
      response: changesPage,
      handler: ({ query }) => readChanges(query.after),
    }),
  ];
}
