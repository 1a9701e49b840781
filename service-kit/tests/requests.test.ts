import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { createTestApp } from './support/test-app.ts';
import { change, named, received } from './support/thing-routes.ts';

const { app } = createTestApp({ routes: [change] });
const good = { name: 'Lamp', stock: 3 };
const put = (path = '/things/7') => request(app).put(path);
const putRaw = (body: string | Buffer, type = 'application/json') =>
  put()
    .set('Content-Type', type)
    .serialize((sent: unknown) => sent as string)
    .send(body);

describe('a valid request', () => {
  test('reaches the handler parsed, with its caller', async () => {
    const response = await put('/things/7?depth=2&tag=a%20b')
      .set('User-Agent', 'tests')
      .set('X-Request-Id', 'abc-1')
      .set('X-Key', 'k')
      .send({ ...good, name: '  Lamp  ' });
    expect(response.status).toBe(200);
    expect(response.body).toEqual({
      id: 7,
      name: 'Lamp',
      query: { depth: 2, tag: 'a b' },
      caller: { address: expect.stringContaining('127.0.0.1'), userAgent: 'tests', requestId: 'abc-1' },
    });
    expect(received.at(-1)).toEqual({ body: { name: 'Lamp', stock: 3 }, headers: { 'x-key': 'k' } });
  });

  test('may be compressed and may name its charset', async () => {
    const response = await put()
      .set('Content-Type', 'application/json; charset=utf-8')
      .set('Content-Encoding', 'gzip')
      .serialize((sent: unknown) => sent as string)
      .send(gzipSync(JSON.stringify(good)));
    expect(response.status).toBe(200);
  });
});

describe('an unknown query parameter', () => {
  test('is refused by name, together with all other issues', async () => {
    const response = await put('/things/7?dpeth=2&depth=99&unknown=1').send(good);
    expect(response.body).toMatchObject({ status: 400, code: 'validation_failed' });
    expect(response.body.errors).toEqual([
      'Unknown query parameter: dpeth',
      'Unknown query parameter: unknown',
      'depth must be a whole number from 1 to 9',
    ]);
    expect(response.body.details[0]).toMatchObject({ path: 'dpeth', code: 'unknown_field' });
  });

  test.each(['/named/me?q=1', '/named/me?='])(
    'is refused by a route without parameters: %s',
    async (path) => {
      const { app: other } = createTestApp({ routes: [named] });
      expect((await request(other).get('/named/me')).status).toBe(200);
      expect((await request(other).get(path)).body).toMatchObject({
        status: 400,
        errors: [expect.stringContaining('Unknown query parameter: ')],
      });
    },
  );

  test('is reported in a bounded message, however long or many they are', async () => {
    const names = Array.from({ length: 400 }, (_, i) => `${i}${'x'.repeat(20)}`);
    const response = await put(`/things/7?${'y'.repeat(4000)}&${names.join('&')}`).send(good);
    expect(response.body.errors).toHaveLength(20);
    expect(response.text.length).toBeLessThan(20_000);
  });
});

describe('an invalid request', () => {
  test('gets all issues of path, query, headers and body together', async () => {
    const response = await put('/things/0?depth=99')
      .set('X-Key', 'too long')
      .send({ name: 'ab', stock: 1.5 });
    expect(response.status).toBe(400);
    expect(response.body).toMatchObject({ code: 'validation_failed', error: response.body.errors[0] });
    expect(response.body.errors).toEqual([
      'Id must be a whole number from 1 to 2147483647',
      'depth must be a whole number from 1 to 9',
      'X-Key is too long',
      'Name must be at least 3 characters',
      'Stock must be a non-negative integer',
    ]);
    expect(response.body.details[3]).toEqual({
      path: 'name',
      code: 'too_short',
      minimum: 3,
      message: 'Name must be at least 3 characters',
    });
  });

  test('gets all required fields listed if there is no body', async () => {
    const empty = put().set({ 'Content-Type': 'text/plain', 'Content-Length': '0' });
    for (const response of [await put(), await empty]) {
      expect(response.status).toBe(400);
      expect(response.body.errors).toEqual(['Name is required', 'Stock is required']);
    }
  });

  test('gets what is no object named', async () => {
    expect((await put().send([good])).body.errors).toEqual(['The body must be an object']);
    expect((await put().send({ ...good, parts: ['x'] })).body.errors).toEqual(['parts.0 must be an object']);
  });

  test('gets an unknown field with its path, shortened if it is long', async () => {
    const response = await put().send({ ...good, role: 'admin', parts: [{ sku: 'A', ['x'.repeat(80)]: 1 }] });
    expect(response.status).toBe(400);
    expect(response.body.details).toEqual([
      {
        path: `parts.0.${'x'.repeat(39)}…`,
        code: 'unknown_field',
        message: `Unknown field: ${'x'.repeat(39)}…`,
      },
      { path: 'role', code: 'unknown_field', message: 'Unknown field: role' },
    ]);
  });

  test('gets a stable code for each field', async () => {
    const codesOf = async (body: object) => {
      const { details } = (await put().send(body)).body as { details: { path: string; code: string }[] };
      return Object.fromEntries(details.map(({ path, code }) => [path, code]));
    };
    expect(await codesOf({ name: null, parts: 'x', other: 1 })).toEqual({
      name: 'required',
      stock: 'required',
      parts: 'not_a_list',
      other: 'unknown_field',
    });
    expect(await codesOf({ name: 5, stock: 'x', parts: [7] })).toEqual({
      name: 'not_a_string',
      stock: 'not_a_number',
      'parts.0': 'not_an_object',
    });
    expect(await codesOf({ name: 'x'.repeat(99_000), stock: 0.5 })).toEqual({
      name: 'too_long',
      stock: 'not_an_integer',
    });
    expect(await codesOf({ name: 'a\0bc', stock: -1 })).toEqual({
      name: 'invalid_characters',
      stock: 'too_small',
    });
  });

  test('gets a response of less than 20 kB, whatever was sent', async () => {
    for (const key of ['\u0001', '"', '😀', '\ud800', 'x']) {
      const names = Array.from({ length: 40 }, (_, i) => [key.repeat(99) + i, 1]);
      const response = await put().send({ ...Object.fromEntries(names), parts: [Object.fromEntries(names)] });
      expect(response.status).toBe(400);
      expect(response.body.details.length).toBeGreaterThan(5);
      expect(Buffer.byteLength(response.text)).toBeLessThan(20_000);
    }
  });

  test('gets at most 20 details', async () => {
    const response = await put().send({ ...good, parts: Array.from({ length: 100 }, () => ({})) });
    expect(response.status).toBe(400);
    expect(response.body.details).toHaveLength(20);
    expect(response.body.errors).toHaveLength(20);
  });

  test.each([
    ['malformed JSON', '{"name":', 'The body is not valid JSON'],
    ['a string', '"name"', 'The body is not valid JSON'],
    ['null', 'null', 'The body is not valid JSON'],
    ['two documents', '{}{}', 'The body is not valid JSON'],
  ])('refuses %s as body', async (_what, body, detail) => {
    const response = await putRaw(body);
    expect(response.status).toBe(400);
    expect(response.body).toMatchObject({ code: 'malformed_request', detail });
  });

  test.each([
    ['an array', '[1]'],
    ['brackets 8,000 deep', '['.repeat(8000) + ']'.repeat(8000)],
    ['objects 8,000 deep', `${'{"a":'.repeat(8000)}1${'}'.repeat(8000)}`],
    ['an own __proto__', '{"name":"Lamp","stock":1,"__proto__":{"role":"admin"}}'],
    ['an own __proto__ of a part', '{"name":"Lamp","stock":1,"parts":[{"sku":"A","__proto__":{}}]}'],
    ['a constructor', '{"name":"Lamp","stock":1,"constructor":{"prototype":{}}}'],
    ['an operator object', '{"name":{"$ne":""},"stock":1}'],
    ['a number as text', '{"name":"Lamp","stock":"1"}'],
    ['an endless number', '{"name":"Lamp","stock":1e999}'],
    ['NUL', '{"name":"La\\u0000mp","stock":1}'],
    ['a lone surrogate', '{"name":"La\\ud800mp","stock":1}'],
  ])('refuses %s with validation_failed', async (_what, body) => {
    const count = received.length;
    const response = await putRaw(body);
    expect(response.status).toBe(400);
    expect(response.body.code).toBe('validation_failed');
    expect(received).toHaveLength(count);
  });

  test('accepts __proto__ inside a free field as harmless data', async () => {
    const response = await putRaw('{"name":"Lamp","stock":1,"any":{"__proto__":{"polluted":true}}}');
    expect(response.status).toBe(200);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test('refuses 200 kB with 413, compressed or not', async () => {
    const body = JSON.stringify({ ...good, any: 'x'.repeat(200_000) });
    expect((await putRaw(body)).body).toMatchObject({ status: 413, code: 'body_too_large' });
    const compressed = await put()
      .set('Content-Type', 'application/json')
      .set('Content-Encoding', 'gzip')
      .serialize((sent: unknown) => sent as string)
      .send(gzipSync(body));
    expect(compressed.status).toBe(413);
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'text/json', 'multipart/form-data'])(
    'refuses a body of %s with 415',
    async (type) => {
      const response = await putRaw('{"name":"Lamp","stock":1}', type);
      expect(response.status).toBe(415);
      expect(response.body.detail).toBe('The body must be application/json');
    },
  );

  test('refuses a body of unknown length and no type with 415', async () => {
    const call = put();
    call.write('name=Lamp');
    expect((await call).status).toBe(415);
  });

  test.each([
    ['charset', 'Content-Type', 'application/json; charset=latin1'],
    ['encoding', 'Content-Encoding', 'zstandard'],
  ])('refuses an unknown %s with 415', async (_what, header, value) => {
    const response = await put()
      .set('Content-Type', 'application/json')
      .set(header, value)
      .send(JSON.stringify(good));
    expect(response.status).toBe(415);
    expect(response.body.detail).toContain('gzip');
  });

  test('refuses a gzip body that is not gzip', async () => {
    const response = await put()
      .set('Content-Type', 'application/json')
      .set('Content-Encoding', 'gzip')
      .serialize((sent: unknown) => sent as string)
      .send(Buffer.from('this is no gzip'));
    expect(response.status).toBe(400);
    expect(response.body.code).toBe('malformed_request');
  });
});
