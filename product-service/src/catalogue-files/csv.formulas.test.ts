import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { markFormula, unmarkFormula } from './csv.formulas.ts';

const text = fc.string({
  unit: fc.constantFrom("'", '=', '+', '-', '@', '\t', '\r', 'a', ' '),
  maxLength: 6,
});

test('a marked text is no formula, and is read back unchanged', () => {
  fc.assert(
    fc.property(text, (given) => {
      expect(markFormula(given)).not.toMatch(/^[=+\-@\t\r]/);
      expect(unmarkFormula(markFormula(given))).toBe(given);
    }),
  );
});
