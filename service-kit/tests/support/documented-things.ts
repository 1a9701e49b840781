import { z } from 'zod';
import { defineError, type ErrorExtras } from '../../src/errors/app-error.ts';
import { defineRoute } from '../../src/http/define-route.ts';
import {
  amount,
  clearable,
  id,
  idParams,
  instantOf,
  integerQuery,
  optional,
  text,
} from '../../src/http/fields.ts';
import { createMoney } from '../../src/money/money.ts';
import { createTestApp } from './test-app.ts';

const NotFound = defineError(404, 'thing_not_found', 'Thing not found');
const Stale = defineError(409, 'version_mismatch', 'Stale', undefined, {
  members: z.object({ details: z.array(z.string()) }),
});
const Taken = defineError(
  409,
  'name_taken',
  (name: string) => `The name ${name} is taken`,
  (name): ErrorExtras => ({ members: { taken: name } }),
  { sample: ['Lamp'], members: z.object({ taken: z.string().meta({ maxLength: 9 }) }) },
);

const response = z
  .object({ id: id('Id of the thing.'), at: instantOf('When it was changed.'), next: z.string().optional() })
  .meta({ id: 'Thing' });
/** Routes with all that a declaration can have. */
export const thingRoutes = [
  defineRoute({
    method: 'put',
    path: '/things/:id',
    operationId: 'changeThing',
    tag: 'Things',
    summary: 'Change a thing',
    description: 'All of it.',
    who: 'user',
    only: 'its owner',
    limit: 'writes',
    params: idParams,
    query: z.object({ depth: integerQuery('depth', { min: 1, max: 9 }).optional() }),
    headers: z.object({ 'if-match': z.string().optional() }),
    body: z.strictObject({
      name: text('Name', { max: 9 }).meta({ examples: ['Lamp'] }),
      price: amount('Price', createMoney('USD')).optional(),
      note: optional(text('Note', { max: 9 })).meta({ description: 'About it.' }),
      colour: clearable(text('Colour', { max: 9 }), null),
    }),
    responseHeaders: ['Location'],
    status: 200,
    response,
    errors: [NotFound, Taken, Stale],
    handler: () => ({ id: 1, at: new Date() }),
  }),
  defineRoute({
    method: 'get',
    path: '/things/:id',
    summary: 'Show a thing',
    who: 'anyone',
    limit: false,
    params: idParams,
    conditional: true,
    status: 200,
    response,
    handler: () => ({ id: 1, at: new Date() }),
  }),
  defineRoute({
    method: 'delete',
    path: '/things',
    summary: 'Remove all',
    who: 'admin',
    limit: false,
    status: 204,
    handler: () => undefined,
  }),
  defineRoute({
    method: 'post',
    path: '/internal/things',
    summary: 'For services',
    who: 'service',
    limit: false,
    status: 299,
    handler: () => undefined,
  }),
];
export const thingLimits = { writes: { max: 9, seconds: 60, withoutRedis: 'pass' as const } };
export const { app: thingApp } = createTestApp({ routes: thingRoutes, config: { limits: thingLimits } });
