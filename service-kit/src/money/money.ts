/** Amounts are integer minor units internally (cents of USD, yen of JPY) and JSON numbers in major units in the API. */
export interface Money {
  readonly currency: string;
  /** How many decimals the currency has, from `Intl`: 2 for USD, 0 for JPY, 3 for KWD. */
  readonly decimals: number;
  /** Minor units of a JSON number, or null if it has more decimals than the currency or is not a safe amount. */
  toMinor(major: number): number | null;
  /** Minor units of a JSON number, rounded to the nearest: 0.30000000000000004 is 30 cents. */
  round(major: number): number;
  /** The JSON number of a sum of minor units. */
  toMajor(minor: number | bigint): number;
}

/**
 * @param currency ISO 4217 code
 * @throws RangeError when `Intl` does not know the code as a currency
 */
export function createMoney(currency: string): Money {
  if (!Intl.supportedValuesOf('currency').includes(currency))
    throw new RangeError(`Unknown currency ${currency}`);
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  const decimals = format.resolvedOptions().maximumFractionDigits ?? 2;
  const factor = 10 ** decimals;
  return {
    currency,
    decimals,
    toMinor(major) {
      // The shortest decimal text of a double is what the client sent, so a product cannot hide a rounding error.
      const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(String(major));
      const fraction = match?.[3] ?? '';
      if (match === null || fraction.length > decimals) return null;
      const minor = Number(`${match[1]}${match[2]}${fraction.padEnd(decimals, '0')}`);
      return Number.isSafeInteger(minor) ? minor : null;
    },
    round(major) {
      // The decimal point is moved in the text, because a multiplication could round.
      const [digits, exponent = '0'] = String(major).split('e');
      return Math.round(Number(`${digits}e${Number(exponent) + decimals}`));
    },
    toMajor: (minor) => Number(minor) / factor,
  };
}
