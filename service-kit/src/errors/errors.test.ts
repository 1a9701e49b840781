import { expect, test } from '@jest/globals';
import { Unauthenticated, Unavailable, ValidationFailed } from './http-errors.ts';

test('a refused request is named by its first issue, or in general', () => {
  const issue = { path: 'name', code: 'custom', message: 'Name is required' };
  expect(new ValidationFailed([issue])).toMatchObject({
    message: 'Name is required',
    members: { errors: ['Name is required'], details: [issue] },
  });
  expect(new ValidationFailed([]).message).toBe('The request is not valid');
});

test('a failure carries the headers that tell a client what to do', () => {
  expect(new Unauthenticated('Who are you').headers).toEqual({ 'WWW-Authenticate': 'Bearer' });
  expect(new Unavailable('Later', 3)).toMatchObject({ status: 503, headers: { 'Retry-After': '3' } });
});
