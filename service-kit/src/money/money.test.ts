import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createMoney } from './money.ts';

describe('an amount', () => {
  test.each([
    ['USD', 2, 999.99, 99_999],
    ['USD', 2, 0, 0],
    ['USD', 2, -0, 0],
    ['USD', 2, 0.1, 10],
    ['USD', 2, 1.005, null],
    ['USD', 2, 0.001, null],
    ['USD', 2, 1e-7, null],
    ['USD', 2, 9_999_999.99, 999_999_999],
    ['USD', 2, -5.5, -550],
    ['USD', 2, 90_071_992_547_410, null],
    ['JPY', 0, 9_007_199_254_740_991, 9_007_199_254_740_991],
    ['JPY', 0, 9_007_199_254_740_992, null],
    ['USD', 2, 1e21, null],
    ['USD', 2, Number.NaN, null],
    ['USD', 2, Number.POSITIVE_INFINITY, null],
    ['JPY', 0, 1234, 1234],
    ['JPY', 0, 12.5, null],
    ['KWD', 3, 1.234, 1234],
    ['KWD', 3, 1.5, 1500],
    ['KWD', 3, 1.2345, null],
  ])('of %s with its %i decimals: %d is %p minor units', (currency, decimals, major, minor) => {
    const money = createMoney(currency);
    expect(money).toMatchObject({ currency, decimals });
    expect(money.toMinor(major)).toBe(minor);
  });

  test('comes back unchanged for each sum of minor units', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('USD', 'JPY', 'KWD'),
        fc.integer({ min: 0, max: 1e14 }),
        (currency, minor) => {
          const money = createMoney(currency);
          expect(money.toMinor(money.toMajor(minor))).toBe(minor);
          expect(money.toMajor(BigInt(minor))).toBe(money.toMajor(minor));
        },
      ),
    );
  });

  test.each(['XYZ', 'usd', '', 'US', 'DOLLAR'])('refuses the currency %j', (currency) => {
    expect(() => createMoney(currency)).toThrow(RangeError);
  });
});

test('an amount is rounded to the nearest minor unit on request', () => {
  const usd = createMoney('USD');
  expect([0.30000000000000004, 1.005, 0.004, 1e-7, 12.5, 1e21].map(usd.round)).toEqual([
    30, 101, 0, 0, 1250, 1e23,
  ]);
  expect(createMoney('JPY').round(99.5)).toBe(100);
});
