import { z } from 'zod';
import { defineRoute } from '../../src/http/define-route.ts';
import { idParams, integer, integerQuery, text } from '../../src/http/fields.ts';

/** The input that the handler of `change` received. */
export const received: unknown[] = [];

export const change = defineRoute({
  method: 'put',
  path: '/things/:id',
  summary: 'Change a thing',
  who: 'anyone',
  limit: false,
  params: idParams,
  query: z.object({
    depth: integerQuery('depth', { min: 1, max: 9 }).optional(),
    tag: z.string().optional(),
  }),
  headers: z.object({ 'x-key': z.string().max(5, 'X-Key is too long').optional() }),
  body: z.strictObject({
    name: text('Name', { min: 3, max: 20 }),
    stock: integer('Stock', { min: 0, max: 100, wrong: 'Stock must be a non-negative integer' }),
    parts: z.array(z.strictObject({ sku: text('Sku', { max: 5 }) })).optional(),
    any: z.unknown().optional(),
  }),
  status: 200,
  response: z.object({ id: z.int(), name: z.string(), caller: z.unknown(), query: z.unknown() }),
  handler({ params, query, body, headers, caller }) {
    received.push({ body, headers });
    const { address, userAgent, requestId } = caller;
    return { id: params.id, name: body.name, query, caller: { address, userAgent, requestId } };
  },
});
export const named = defineRoute({
  method: 'get',
  path: '/named/:name',
  summary: 'Show a name',
  who: 'anyone',
  limit: false,
  params: z.strictObject({ name: text('Name', { max: 10 }) }),
  status: 200,
  response: z.object({ name: z.string() }),
  handler: ({ params }) => params,
});
