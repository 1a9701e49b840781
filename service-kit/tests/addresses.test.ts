import { describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { createTestApp } from './support/test-app.ts';
import { change, named } from './support/thing-routes.ts';

const { app } = createTestApp({ routes: [change, named] });
const good = { name: 'Lamp', stock: 3 };
const put = (path: string) => request(app).put(path);

describe('an invalid address', () => {
  test.each(['/named/%E0%A4%A', '/named/%FF'])('refuses %s', async (path) => {
    const response = await request(app).get(path);
    expect(response.status).toBe(400);
    expect(response.body.detail).toBe('The address is not valid');
  });

  test.each(['/named/a%00b', `/named/${'x'.repeat(11)}`, '/named/%20'])(
    'refuses the text of %s',
    async (path) => {
      const response = await request(app).get(path);
      expect(response.status).toBe(400);
      expect(response.body.code).toBe('validation_failed');
    },
  );

  test.each(['0', '-1', '1.5', '2147483648', '1e3', '0x10', 'abc', '%00', '1'.repeat(400)])(
    'refuses the id %s',
    async (id) => {
      const response = await put(`/things/${id}`).send(good);
      expect(response.status).toBe(400);
      expect(response.body.details[0]).toMatchObject({ path: 'id' });
    },
  );

  test.each([
    ['a repeated parameter', 'depth=1&depth=2', 'The query parameter "depth" is repeated'],
    ['a repeated parameter unknown to the route', 'x=1&x=1', 'The query parameter "x" is repeated'],
    ['NUL in a parameter', 'tag=a%00', 'The query contains characters that cannot be used'],
  ])('refuses %s', async (_what, query, detail) => {
    const response = await put(`/things/7?${query}`).send(good);
    expect(response.status).toBe(400);
    expect(response.body).toMatchObject({ code: 'malformed_request', detail });
  });

  test('refuses __proto__ in the query like any other unknown parameter', async () => {
    for (const query of ['__proto__=1', 'constructor=2', '__proto__=1&__proto__=2'])
      expect((await put(`/things/7?${query}`).send(good)).status).toBe(400);
  });
});
