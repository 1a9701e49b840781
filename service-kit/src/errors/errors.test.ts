import { expect, test } from '@jest/globals';
import { Unauthenticated, Unavailable, ValidationFailed } from './http-errors.ts';

test('a validation error has the message of its first issue, or a general one', () => {
  const issue = { path: 'name', code: 'required', message: 'Name is required' } as const;
  expect(new ValidationFailed([issue])).toMatchObject({
    message: 'Name is required',
    members: { errors: ['Name is required'], details: [issue] },
  });
  expect(new ValidationFailed([]).message).toBe('The request is not valid');
});

test('a validation error is bounded in size, whatever was sent', () => {
  const long = { path: '\u{1F600}'.repeat(5000), code: 'invalid', message: '"\0😀'.repeat(5000) } as const;
  const { message, members } = new ValidationFailed(Array(5000).fill(long));
  const { errors, details } = members as { errors: string[]; details: { path: string }[] };
  expect(Buffer.byteLength(JSON.stringify([message, message, members]))).toBeLessThan(20_000);
  expect(errors.length).toBeGreaterThan(0);
  for (const text of [message, ...errors, ...details.map(({ path }) => path)])
    expect([...text].length).toBeLessThanOrEqual(300);
  const short = { path: 'name', code: 'required', message: 'Name is required' } as const;
  expect(new ValidationFailed(Array(30).fill(short)).members['details']).toHaveLength(20);
});

test('an error carries the headers that a client needs to react', () => {
  expect(new Unauthenticated('Who are you').headers).toEqual({ 'WWW-Authenticate': 'Bearer' });
  expect(new Unavailable('Later', 3)).toMatchObject({ status: 503, headers: { 'Retry-After': '3' } });
});
