const PLAIN = /^-?\d{1,15}(\.\d{1,15})?$/;
/** Groups of three digits behind points or commas: thousands, or else decimals. */
const GROUPED = /^-?[1-9]\d{0,2}([.,]\d{3})+$/;
/** Thousands with points or commas, then decimals with the other of the two. */
const GROUPED_DECIMAL = /^-?[1-9]\d{0,2}(?:(?:\.\d{3})+,\d{1,15}|(?:,\d{3})+\.\d{1,15})$/;
const DECIMAL = /^-?\d{1,15}[.,]\d{1,15}$/;

/** A number, the text where it is none, or `two ways` where it could be one number or another. */
export type ReadNumber = number | string | { twoWays: string };

/**
 * The number of a cell. In a file whose cells are separated by `;` or a tab, points and commas may be decimal signs or
 * separate thousands, as spreadsheets of most of Europe write them; in one with commas there is the decimal point only.
 */
export function readNumber(cell: string, isCommaFile: boolean): ReadNumber {
  const text = cell.trim();
  if (isCommaFile) return PLAIN.test(text) ? Number(text) : cell;
  if (GROUPED_DECIMAL.test(text) || isThousands(text)) return Number(withPoint(text));
  if (GROUPED.test(text)) return { twoWays: text.slice(0, 20) };
  return DECIMAL.test(text) || PLAIN.test(text) ? Number(text.replace(',', '.')) : cell;
}

/** `1.000.000` has more than one group, of one kind: a decimal sign comes once. */
const isThousands = (text: string) => /^-?[1-9]\d{0,2}(?:(?:\.\d{3}){2,}|(?:,\d{3}){2,})$/.test(text);

function withPoint(text: string): string {
  const decimal = isThousands(text) ? '' : text[Math.max(text.lastIndexOf('.'), text.lastIndexOf(','))];
  const thousands = decimal === ',' ? '.' : ',';
  return decimal === ''
    ? text.replaceAll(/[.,]/g, '')
    : text.replaceAll(thousands, '').replace(String(decimal), '.');
}
