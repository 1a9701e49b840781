/** What a spreadsheet would evaluate, possibly behind marks of this kind, so that every marked text can be read back. */
const FORMULA = /^'*[=+\-@\t\r]/;
const MARKED = /^'+[=+\-@\t\r]/;

/** Makes a spreadsheet show a text that it would take for a formula: sellers write texts that admins open in one. */
export const markFormula = (text: string): string => (FORMULA.test(text) ? `'${text}` : text);

/** The text that was marked; other texts stay as they are. */
export const unmarkFormula = (text: string): string => (MARKED.test(text) ? text.slice(1) : text);
