import { domainToUnicode } from 'node:url';
import { lengthOf } from '@shop/service-kit/text/texts';

const USERNAME = /^(?:\p{L}\p{M}{0,3}|[\p{Nd}_.-])+$/u;
const LOCAL_PART = /^[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+(?:\.[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+)*$/u;
const DOMAIN_LABEL = /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?$/u;
/** Without a number at its end, which would be read as an IPv4 address: `a@163` is the beginning of `a@163.com`. */
const DOMAIN = /^(?!(?:.*\.)?\d+\.?$)[\p{L}\p{M}\p{N}.-]{1,254}$/u;
/** Invisible characters: two names that differ in them look the same. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/u;

export const MAX_USERNAME = 80;
export const MAX_EMAIL = 254;
const MAX_LOCAL_PART = 64;
/** A key may be twice as long as its name: ß becomes ss. */
const MAX_USERNAME_KEY = 2 * MAX_USERNAME;

/**
 * The unique form of a name or address: the same for all spellings that differ in case or Unicode form, and for a
 * domain and its punycode.
 */
export function identityKey(text: string): string {
  const folded = fold(text.trim());
  const at = folded.lastIndexOf('@');
  if (at < 0) return folded;
  const domain = folded.slice(at + 1);
  const decoded = DOMAIN.test(domain) ? domainToUnicode(domain) : '';
  return decoded === '' ? folded : `${folded.slice(0, at)}@${fold(decoded)}`;
}

/** Lower case makes ẞ and ß the same; upper case ß and SS, ς and σ. */
const fold = (text: string) =>
  text.normalize('NFKC').toLowerCase().toUpperCase().toLowerCase().normalize('NFKC');

/** Letters of any script, digits, `_ . -`; checked in the key too, because a ligature may stand for something else. */
export function isUsername(text: string): boolean {
  const key = identityKey(text);
  if (lengthOf(text) > MAX_USERNAME || lengthOf(key) > MAX_USERNAME_KEY) return false;
  return [text, key].every((form) => USERNAME.test(form) && !INVISIBLE.test(form));
}

/** A plain address of RFC 5321 or, with letters beyond ASCII, of RFC 6531; no quoted names, no bare hosts. */
export function isEmail(text: string): boolean {
  return [text, identityKey(text)].every(
    (form) => lengthOf(form) <= MAX_EMAIL && hasEmailForm(form) && !INVISIBLE.test(form),
  );
}

function hasEmailForm(text: string): boolean {
  const at = text.lastIndexOf('@');
  const localPart = text.slice(0, Math.max(at, 0));
  const labels = text.slice(at + 1).split('.');
  return (
    lengthOf(localPart) <= MAX_LOCAL_PART &&
    LOCAL_PART.test(localPart) &&
    labels.length >= 2 &&
    labels.every((label) => DOMAIN_LABEL.test(label)) &&
    !/^\d+$/.test(labels.at(-1) ?? '')
  );
}
