const PLAIN = /^-?\d{1,15}(\.\d{1,15})?$/;
/** Three digits after a point or comma: either thousands or decimals. */
const AMBIGUOUS = /^-?[1-9]\d{0,2}[.,]\d{3}$/;
/** Thousands separated by points or commas, then decimals after the other of the two. */
const GROUPED_DECIMAL = /^-?[1-9]\d{0,2}(?:(?:\.\d{3})+,\d{1,15}|(?:,\d{3})+\.\d{1,15})$/;
const DECIMAL = /^-?\d{1,15}[.,]\d{1,15}$/;

/** The number; the text if it is not a number; otherwise why it cannot be used. */
export type ReadNumber = number | string | { problem: string };

/**
 * The number in a cell. In a file separated by `;` or tabs, points and commas may be decimal signs or thousands separators,
 * as most European spreadsheets write them. In a file separated by commas only the point is a decimal sign.
 */
export function readNumber(cell: string, isCommaFile: boolean): ReadNumber {
  const text = cell.trim();
  if (isCommaFile) return PLAIN.test(text) ? exactly(text, text) : cell;
  if (GROUPED_DECIMAL.test(text) || isThousands(text)) return exactly(withPoint(text), text);
  if (AMBIGUOUS.test(text)) return { problem: twoWays(text) };
  return DECIMAL.test(text) || PLAIN.test(text) ? exactly(text.replace(',', '.'), text) : cell;
}

/** A number that keeps fewer decimals than the text has was rounded. */
function exactly(plain: string, text: string): ReadNumber {
  const number = Number(plain);
  if (decimalsOf(String(number)) >= decimalsOf(plain)) return number;
  return { problem: `${text.slice(0, 40)} has too many digits` };
}

/** Without trailing zeros. */
const decimalsOf = (plain: string): number => /\.(\d*[1-9])/.exec(plain)?.[1]?.length ?? 0;

function twoWays(text: string): string {
  const whole = text.replaceAll(/[.,]/g, '');
  const decimal = text.endsWith('0') ? text.slice(0, -1) : `${text}0`;
  return `${text} is ambiguous: write ${whole}, or ${decimal}`;
}

/** `1.000.000` has several groups with the same separator, so it cannot be a decimal sign. */
const isThousands = (text: string) => /^-?[1-9]\d{0,2}(?:(?:\.\d{3}){2,}|(?:,\d{3}){2,})$/.test(text);

function withPoint(text: string): string {
  const decimal = isThousands(text) ? '' : text[Math.max(text.lastIndexOf('.'), text.lastIndexOf(','))];
  const thousands = decimal === ',' ? '.' : ',';
  return decimal === ''
    ? text.replaceAll(/[.,]/g, '')
    : text.replaceAll(thousands, '').replace(String(decimal), '.');
}
