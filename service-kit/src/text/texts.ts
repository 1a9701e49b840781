/** White space of Unicode, and the byte order mark, which editors leave at the beginning of a text. */
const WHITE_SPACE = /^[\p{White_Space}\uFEFF]$/u;
const isWhiteSpace = (unit: string | undefined) => unit !== undefined && WHITE_SPACE.test(unit);

/** The text in NFC without white space at its ends. In one pass: a pattern would look at long runs again and again. */
export function tidy(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isWhiteSpace(text[start])) start += 1;
  while (end > start && isWhiteSpace(text[end - 1])) end -= 1;
  return text.slice(start, end).normalize('NFC');
}

/** Well-formed Unicode without NUL: what a `text` column of Postgres holds. */
export const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

/** Characters as the contract counts them: code points, of which an emoji may be one. */
export function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}

/** At most so many characters of a text that may be shown; what could not be shown is replaced. */
export function shorten(text: string, max: number): string {
  const head = text.slice(0, 2 * max).replaceAll(/[\p{Cc}\p{Cs}]/gu, '\uFFFD');
  return lengthOf(head) <= max
    ? head
    : `${Array.from(head)
        .slice(0, max - 1)
        .join('')}…`;
}
