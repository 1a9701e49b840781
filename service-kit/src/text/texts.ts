/** Unicode white space and the byte order mark, which editors put at the beginning of a text. */
const WHITE_SPACE = /^[\p{White_Space}\uFEFF]$/u;
const isWhiteSpace = (unit: string | undefined) => unit !== undefined && WHITE_SPACE.test(unit);

/** The text in NFC, trimmed. In one pass, because a pattern would scan long runs of white space repeatedly. */
export function tidy(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isWhiteSpace(text[start])) start += 1;
  while (end > start && isWhiteSpace(text[end - 1])) end -= 1;
  return text.slice(start, end).normalize('NFC');
}

/** Well-formed Unicode without NUL, as a `text` column of Postgres requires. */
export const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

/** The number of characters: code points (docs/http-api.md). */
export function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}

/** Truncates a text for display and replaces characters that cannot be shown. */
export function shorten(text: string, max: number): string {
  const head = text.slice(0, 2 * max).replaceAll(/[\p{Cc}\p{Cs}]/gu, '\uFFFD');
  return lengthOf(head) <= max
    ? head
    : `${Array.from(head)
        .slice(0, max - 1)
        .join('')}…`;
}

/** Undefined for a text that is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
