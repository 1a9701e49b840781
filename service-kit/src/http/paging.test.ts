import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { bigintTimeCursor, idCursor, pagingQuery, timeCursor, toPage, toWindow } from './paging.ts';

const query = z.object(pagingQuery(10));
const windowOf = (sent: Record<string, string>) => toWindow(query.parse(sent), idCursor);
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const rows = (first: number, count: number) => Array.from({ length: count }, (_, i) => ({ id: first + i }));
const keyOf = ({ id }: { id: number }) => [id] as const;

describe('the window of a list', () => {
  test('begins at the first row unless a page or a cursor is given', () => {
    expect(windowOf({})).toEqual({ limit: 10, page: 1, offset: 0, after: undefined });
    expect(windowOf({ page: '3', per_page: '20' })).toMatchObject({ limit: 20, page: 3, offset: 40 });
    expect(windowOf({ cursor: encode([7]) })).toEqual({ limit: 10, page: null, offset: 0, after: [7] });
  });

  test('ends at row 10,000 by page; the error for a deeper page recommends a cursor', () => {
    expect(windowOf({ page: '100', per_page: '100' }).offset).toBe(9900);
    expect(() => windowOf({ page: '101', per_page: '100' })).toThrow(/next_cursor as cursor/);
    expect(() => windowOf({ page: String(Number.MAX_SAFE_INTEGER) })).toThrow(/next_cursor as cursor/);
  });

  test('is given by page or by cursor, not both', () => {
    expect(() => windowOf({ page: '1', cursor: encode([7]) })).toThrow(/not both/);
  });

  test.each([
    ['of another list', encode(['name', 7])],
    ['with an invalid id', encode([0])],
    ['with an id beyond int32', encode([2 ** 31])],
    ['that is not JSON', Buffer.from('[7').toString('base64url')],
    ['that is not base64', '$$$'],
  ])('refuses a cursor %s', (_what, cursor) => {
    expect(() => windowOf({ cursor })).toThrow('This cursor belongs to another list');
  });

  test.each([
    { page: '0' },
    { page: '' },
    { page: '-1' },
    { page: '1e15' },
    { per_page: '0' },
    { per_page: '101' },
    { cursor: '' },
  ])('refuses %j', (sent) => expect(query.safeParse(sent).success).toBe(false));

  test.each([
    ['', 'cursor is required'],
    ['x'.repeat(2049), 'cursor must be at most 2048 characters'],
  ])('names the cursor %#', (cursor, text) =>
    expect(query.safeParse({ cursor }).error?.issues[0]?.message).toBe(text),
  );
});

describe('a cursor in order of time', () => {
  const time = '2026-01-01T00:00:00.000Z';
  const after = (key: unknown, schema = timeCursor) =>
    toWindow(query.parse({ cursor: encode(key) }), schema).after;

  test('has a time in milliseconds and an id', () => {
    expect(after([time, 2 ** 31 - 1])).toEqual([time, 2 ** 31 - 1]);
    expect(after([time, 2 ** 31], bigintTimeCursor)).toEqual([time, 2 ** 31]);
  });

  test.each([
    ['an id beyond int32', [time, 2 ** 31]],
    ['300 digits of a second', [`2026-01-01T00:00:00.${'0'.repeat(300)}Z`, 1]],
    ['microseconds', ['2026-01-01T00:00:00.000000Z', 1]],
    ['no milliseconds', ['2026-01-01T00:00:00Z', 1]],
    ['the year 0', ['0000-01-01T00:00:00.000Z', 1]],
    ['another zone', ['2026-01-01T00:00:00.000+01:00', 1]],
  ])('is refused with %s', (_what, key) => {
    expect(() => after(key)).toThrow('This cursor belongs to another list');
  });
});

describe('a page', () => {
  test('returns the cursor of the next page if more rows follow', () => {
    const first = toPage(windowOf({ per_page: '3' }), rows(1, 4), 7, keyOf);
    expect(first.rows).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }]);
    expect(first.paging).toMatchObject({ total: 7, page: 1, pages: 3, per_page: 3 });
    const next = windowOf({ per_page: '3', cursor: String(first.paging.next_cursor) });
    expect(next.after).toEqual([3]);
    const last = toPage(next, rows(4, 3), 7, keyOf);
    expect(last.paging).toMatchObject({ page: null, next_cursor: null });
  });

  test('never counts pages that cannot be requested', () => {
    const { paging } = toPage(windowOf({ per_page: '30' }), [], 20_000, keyOf);
    expect(paging).toMatchObject({ total: 20_000, pages: 333, pages_capped: true });
    expect(windowOf({ per_page: '30', page: '333' }).offset).toBe(9960);
    expect(() => windowOf({ per_page: '30', page: '334' })).toThrow(/next_cursor as cursor/);
    const full = toPage(windowOf({ per_page: '100' }), [], 10_000, keyOf);
    expect(full.paging).toMatchObject({ pages: 100, pages_capped: false });
  });

  test('of an empty list is empty', () => {
    expect(toPage(windowOf({}), [], 0, keyOf)).toEqual({
      rows: [],
      paging: { total: 0, page: 1, pages: 0, pages_capped: false, per_page: 10, next_cursor: null },
    });
  });
});
