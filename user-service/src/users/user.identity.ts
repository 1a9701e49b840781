const USERNAME = /^(?:\p{L}\p{M}{0,3}|[\p{Nd}_.-])+$/u;
const LOCAL_PART = /^[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+(?:\.[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+)*$/u;
const DOMAIN_LABEL = /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?$/u;
/** Letters that show nothing: with them two names would look the same. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/u;

export const MAX_USERNAME = 80;
export const MAX_EMAIL = 254;
const MAX_LOCAL_PART = 64;

/**
 * What of a name or address is unique: the same for all spellings that differ in case or Unicode form. Upper case
 * comes first, since only it makes ß and SS, ς and σ the same.
 */
export function identityKey(text: string): string {
  return text.trim().normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC');
}

/** Letters of any script, digits, `_ . -`; in its key too, so that no ligature hides something else. */
export function isUsername(text: string): boolean {
  return [text, identityKey(text)].every(
    (form) => form.length <= MAX_USERNAME && USERNAME.test(form) && !INVISIBLE.test(form),
  );
}

/** A plain address of RFC 5321 or, with letters beyond ASCII, of RFC 6531; no quoted names, no bare hosts. */
export function isEmail(text: string): boolean {
  return [text, identityKey(text)].every(
    (form) => form.length <= MAX_EMAIL && hasEmailForm(form) && !INVISIBLE.test(form),
  );
}

function hasEmailForm(text: string): boolean {
  const at = text.lastIndexOf('@');
  const localPart = text.slice(0, Math.max(at, 0));
  const labels = text.slice(at + 1).split('.');
  return (
    localPart.length <= MAX_LOCAL_PART &&
    LOCAL_PART.test(localPart) &&
    labels.length >= 2 &&
    labels.every((label) => DOMAIN_LABEL.test(label)) &&
    !/^\d+$/.test(labels.at(-1) ?? '')
  );
}
