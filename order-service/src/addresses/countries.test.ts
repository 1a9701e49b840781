import { expect, test } from '@jest/globals';
import { COUNTRIES, WITHOUT_POSTAL_CODES } from './countries.ts';

/** Codes that `Intl.DisplayNames` has names for, and that ISO 3166-1 does not assign to a country. */
const NO_COUNTRIES =
  'AC AN BU CP CQ CS DD DG DY EA EU EZ FX HV IC NH NT QO RH SU TA TP UK UN VD XA XB XK YD YU ZZ'.split(' ');

test('are the 249 of ISO 3166-1, in capitals', () => {
  expect(COUNTRIES.size).toBe(249);
  for (const code of COUNTRIES) expect(code).toMatch(/^[A-Z]{2}$/);
  for (const code of ['CH', 'QA', 'GB', 'US', 'AX', 'SS', 'ZW']) expect(COUNTRIES.has(code)).toBe(true);
});

test.each([...NO_COUNTRIES, 'de', ''])('%j is no country', (code) => {
  expect(COUNTRIES.has(code)).toBe(false);
});

test('those without postal codes are countries', () => {
  expect([...WITHOUT_POSTAL_CODES].filter((code) => !COUNTRIES.has(code))).toEqual([]);
});
