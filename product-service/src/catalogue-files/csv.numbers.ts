const PLAIN = /^-?\d{1,15}(\.\d{1,15})?$/;
/** Groups of three digits after points or commas: either thousands or decimals. */
const GROUPED = /^-?[1-9]\d{0,2}([.,]\d{3})+$/;
/** Thousands separated by points or commas, then decimals after the other of the two. */
const GROUPED_DECIMAL = /^-?[1-9]\d{0,2}(?:(?:\.\d{3})+,\d{1,15}|(?:,\d{3})+\.\d{1,15})$/;
const DECIMAL = /^-?\d{1,15}[.,]\d{1,15}$/;

/** The number; the text if it is not a number; `two ways` if it could be read as two different numbers. */
export type ReadNumber = number | string | { twoWays: string };

/**
 * The number in a cell. In a file separated by `;` or tabs, points and commas may be decimal signs or thousands separators,
 * as most European spreadsheets write them. In a file separated by commas only the point is a decimal sign.
 */
export function readNumber(cell: string, isCommaFile: boolean): ReadNumber {
  const text = cell.trim();
  if (isCommaFile) return PLAIN.test(text) ? Number(text) : cell;
  if (GROUPED_DECIMAL.test(text) || isThousands(text)) return Number(withPoint(text));
  if (GROUPED.test(text)) return { twoWays: text.slice(0, 20) };
  return DECIMAL.test(text) || PLAIN.test(text) ? Number(text.replace(',', '.')) : cell;
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
