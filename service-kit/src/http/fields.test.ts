import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { createMoney } from '../money/money.ts';
import {
  amount,
  amountQuery,
  booleanQuery,
  clearable,
  idParams,
  instant,
  instantQuery,
  integer,
  integerQuery,
  optional,
  text,
} from './fields.ts';

/** The parsed value of a field, or the error messages. */
const outcome = (schema: z.ZodType, value: unknown) => {
  const result = schema.safeParse(value);
  return result.success ? result.data : result.error.issues.map(({ message }) => message);
};
const usd = createMoney('USD');

describe('a text', () => {
  const name = text('Name', { min: 3, max: 5 });
  test.each([
    ['  abc ', 'abc'],
    ['abcde', 'abcde'],
    ['äöü', 'äöü'],
    ['ab', ['Name must be at least 3 characters']],
    ['   ', ['Name is required']],
    ['\u00a0\u2003abc\u0085\ufeff\n', 'abc'],
    ['e\u0301te\u0301s', '\u00e9t\u00e9s'],
    ['😀😀😀😀😀', '😀😀😀😀😀'],
    ['😀😀', ['Name must be at least 3 characters']],
    ['😀😀😀😀😀😀', ['Name must be at most 5 characters']],
    ['abcdef', ['Name must be at most 5 characters']],
    ['abc\0', ['Name contains characters that cannot be stored']],
    ['abc\udc00', ['Name contains characters that cannot be stored']],
    [undefined, ['Name is required']],
    [null, ['Name is required']],
    [7, ['Name must be a string']],
    [{ $ne: '' }, ['Name must be a string']],
    [['abc'], ['Name must be a string']],
  ])('%j', (value, expected) => expect(outcome(name, value)).toEqual(expected));

  test('may be empty and may keep its spaces, if so declared', () => {
    expect(outcome(text('Note', { min: 0, max: 5 }), ' ')).toBe('');
    expect(outcome(text('Note', { max: 5 }), '')).toEqual(['Note is required']);
    expect(outcome(text('Password', { min: 8, max: 20, trim: false }), '  spaces  ')).toBe('  spaces  ');
  });
});

describe('a whole number in a body', () => {
  const wrong = 'Stock must be a non-negative integer';
  const stock = integer('Stock', { min: 0, max: 1000, wrong });
  test.each([
    [0, 0],
    [1000, 1000],
    [1001, ['Stock must be at most 1000']],
    [-1, [wrong]],
    [1.5, [wrong]],
    ['1', [wrong]],
    [true, [wrong]],
    [[], [wrong]],
    [Number.POSITIVE_INFINITY, [wrong]],
    [Number.NaN, [wrong]],
    [2 ** 31, ['Stock must be at most 1000']],
    [undefined, ['Stock is required']],
    [null, ['Stock is required']],
    ['', ['Stock is required']],
  ])('%j', (value, expected) => expect(outcome(stock, value)).toEqual(expected));
});

describe('an amount in a body', () => {
  const price = amount('Price', usd);
  test.each([
    [0, 0],
    [999.99, 99_999],
    [9_999_999_999.99, 999_999_999_999],
    [10_000_000_000, ['Price must be at most 9999999999.99']],
    [1e300, ['Price must be at most 9999999999.99']],
    [-0.01, ['Price must be a positive number']],
    [0.001, ['Price must have at most 2 decimals']],
    ['1', ['Price must be a positive number']],
    [undefined, ['Price is required']],
    [null, ['Price is required']],
  ])('%j', (value, expected) => expect(outcome(price, value)).toEqual(expected));
});

test('has the same bound in minor units in every currency', () => {
  const yen = amount('Price', createMoney('JPY'));
  expect(outcome(yen, 999_999_999_999)).toBe(999_999_999_999);
  expect(outcome(yen, 1_000_000_000_000)).toEqual(['Price must be at most 999999999999']);
  expect(outcome(amount('Price', createMoney('KWD')), 999_999_999.999)).toBe(999_999_999_999);
});

describe('an optional field', () => {
  const body = z.strictObject({
    note: optional(text('Note', { max: 5 })),
    stock: optional(integer('Stock', { min: 0, max: 5, wrong: 'No stock' })),
    sku: clearable(text('SKU', { max: 5 }), null),
    category: clearable(text('Category', { max: 9 }), 'General'),
  });
  test.each([
    [{}, {}],
    [{ note: null, stock: null }, {}],
    [{ note: ' \u00a0', stock: '' }, {}],
    [
      { sku: null, category: null },
      { sku: null, category: 'General' },
    ],
    [
      { sku: ' ', category: '' },
      { sku: null, category: 'General' },
    ],
    [
      { note: ' a ', stock: 0, sku: 'x', category: 'y' },
      { note: 'a', stock: 0, sku: 'x', category: 'y' },
    ],
    [{ note: '123456', sku: 5 }, ['Note must be at most 5 characters', 'SKU must be a string']],
    [{ other: null }, ['Unrecognized key: "other"']],
  ])('%j', (value, expected) => {
    const result = outcome(body, value);
    expect(Array.isArray(result) ? result : JSON.parse(JSON.stringify(result))).toEqual(expected);
  });

  test('is documented with its type and as optional', () => {
    expect(z.toJSONSchema(body, { io: 'input', unrepresentable: 'any' })).toMatchObject({
      properties: { note: { type: 'string', maxLength: 5 }, stock: { type: 'integer', maximum: 5 } },
      additionalProperties: false,
    });
    expect(z.toJSONSchema(body, { io: 'input', unrepresentable: 'any' }).required).toBeUndefined();
  });
});

describe('an amount in a query', () => {
  const least = amountQuery('min_price', usd);
  test.each([
    ['0', 0],
    ['12.5', 1250],
    ['12.345', ['min_price must have at most 2 decimals']],
    ['', ['min_price must be a positive number']],
    ['-1', ['min_price must be a positive number']],
    ['1e3', ['min_price must be a positive number']],
    ['0x10', ['min_price must be a positive number']],
    ['1234567890', 123_456_789_000],
    ['10000000000', ['min_price must be at most 9999999999.99']],
    [' 1', ['min_price must be a positive number']],
  ])('%j', (value, expected) => expect(outcome(least, value)).toEqual(expected));
});

describe('a whole number in a query or path', () => {
  const wrong = ['page must be a whole number from 1 to 50'];
  const page = integerQuery('page', { min: 1, max: 50 });
  test.each([
    ['1', 1],
    ['50', 50],
    ['007', 7],
  ])('%j is %j', (value, expected) => expect(outcome(page, value)).toBe(expected));
  test.each(['0', '51', '-1', '1.0', '1e1', '0x1', '', ' 1', '1 ', '٣', '1'.repeat(17), undefined, 1])(
    '%j is refused',
    (value) => expect(outcome(page, value)).toEqual(wrong),
  );
  test('is at most the largest int32 as an id', () => {
    expect(outcome(idParams, { id: '2147483647' })).toEqual({ id: 2_147_483_647 });
    expect(outcome(idParams, { id: '2147483648' })).toHaveLength(1);
  });
});

test('a flag in a query is true or false, nothing else', () => {
  const flag = booleanQuery('in_stock');
  expect([outcome(flag, 'true'), outcome(flag, 'false')]).toEqual([true, false]);
  for (const value of ['maybe', '', '1', 'TRUE', undefined])
    expect(outcome(flag, value)).toEqual(['in_stock must be true or false']);
});

test('an instant in a response is ISO 8601 in UTC', () => {
  expect(instant.parse(new Date(0))).toBe('1970-01-01T00:00:00.000Z');
  expect(instant.parse('2026-01-02T03:04:05.000Z')).toBe('2026-01-02T03:04:05.000Z');
});

describe('an instant in a query', () => {
  const from = instantQuery('from');

  test.each([
    ['2026-11-24', '2026-11-24T00:00:00.000Z'],
    ['2026-11-24T10:00:00+02:00', '2026-11-24T08:00:00.000Z'],
    ['0001-01-01', '0001-01-01T00:00:00.000Z'],
  ])('takes %s', (text, instant) => {
    expect(from.parse(text).toISOString()).toBe(instant);
  });

  test('is the last instant of the day for a date that ends a range', () => {
    const to = instantQuery('to', 'end');
    expect(to.parse('2026-11-24').toISOString()).toBe('2026-11-24T23:59:59.999Z');
    expect(to.parse('2026-11-24T10:00:00Z').toISOString()).toBe('2026-11-24T10:00:00.000Z');
  });

  test.each([
    'yesterday',
    '2026-02-30',
    '2026-11-24T10:00:00',
    '',
    '0000-12-31',
    '0001-01-01T00:00:00+14:00',
  ])('refuses %s', (text) => {
    expect(from.safeParse(text).error?.issues).toMatchObject([
      { message: 'from must be an ISO 8601 date or time' },
    ]);
  });
});
