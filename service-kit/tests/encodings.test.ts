import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { createTestApp } from './support/test-app.ts';
import { change, received } from './support/thing-routes.ts';

const { app } = createTestApp({ routes: [change] });
const put = (body: Buffer, headers: Record<string, string> = {}, query = '') =>
  request(app)
    .put(`/things/7${query}`)
    .set({ 'Content-Type': 'application/json', ...headers })
    .serialize((sent: unknown) => sent as string)
    .send(body);
const thing = (name: string) => JSON.stringify({ name, stock: 3 });
const good = Buffer.from(thing('Lamp'));

describe('a JSON body', () => {
  test.each([
    ['a Latin-1 letter', Buffer.from(thing('Müller'), 'latin1')],
    ['a character that is cut off', Buffer.concat([Buffer.from('{"name":"Lamp'), Buffer.from([0xe2, 0x82])])],
    ['an encoded surrogate', Buffer.from('{"name":"La\xed\xa0\x80mp","stock":3}', 'latin1')],
    ['an overlong NUL', Buffer.from('{"name":"La\xc0\x80mp","stock":3}', 'latin1')],
  ])('with %s is not UTF-8 and is refused, compressed or not', async (_what, body) => {
    const count = received.length;
    for (const response of [await put(body), await put(gzipSync(body), { 'Content-Encoding': 'gzip' })])
      expect(response.body).toMatchObject({
        ...{ status: 400, code: 'malformed_request' },
        detail: 'The body is not valid UTF-8',
      });
    expect(received).toHaveLength(count);
  });

  test.each(['utf-16', 'utf-16le', 'utf-32', 'utf-7', 'utf-9', 'us-ascii'])(
    'in %s is refused with 415',
    async (charset) => {
      const body = Buffer.from(thing('Lamp'), charset.startsWith('utf-16') ? 'utf16le' : 'utf8');
      const response = await put(body, { 'Content-Type': `application/json; charset=${charset}` });
      expect(response.body).toMatchObject({ status: 415, code: 'unsupported_media_type' });
      expect(response.body.detail).toContain('UTF-8');
    },
  );

  test.each(['application/json', 'application/json; charset=UTF-8', 'application/json;charset="utf-8"'])(
    'in UTF-8 is read as it is: %s',
    async (type) => {
      const name = 'Lämp 茶😀\uFFFD';
      expect((await put(Buffer.from(thing(name)), { 'Content-Type': type })).body.name).toBe(name);
      const marked = Buffer.from(`\uFEFF${thing(name)}`);
      expect((await put(marked, { 'Content-Type': type })).body.name).toBe(name);
    },
  );
});

describe('a query', () => {
  test.each([
    '?tag=%FF',
    '?tag=M%FCller',
    '?tag=%e2%82',
    '?tag=%E2%82x%AC',
    '?tag=%ED%A0%80',
    '?tag=%C0%80',
    '?depth=2&%FF=1',
  ])('that is not UTF-8 is refused: %s', async (query) => {
    const response = await put(good, {}, query);
    expect(response.body).toMatchObject({
      ...{ status: 400, code: 'malformed_request' },
      detail: 'The query contains characters that cannot be used',
    });
  });

  test.each([
    ['?tag=%E8%8C%B6', '茶'],
    ['?tag=%f0%9f%98%80', '😀'],
    ['?tag=%EF%BF%BD', '\uFFFD'],
    ['?tag=100%', '100%'],
    ['?tag=%zz%C3%A4%', '%zzä%'],
    ['?tag=a+b', 'a b'],
  ])('in UTF-8 is read as it is: %s', async (query, tag) => {
    expect((await put(good, {}, query)).body.query).toEqual({ tag });
  });
});
