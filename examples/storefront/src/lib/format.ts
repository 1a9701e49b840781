import { formatMoney } from '@shop/client';
import { language } from '../i18n/index.ts';

export const money = (amount: number, currency: string) => formatMoney(amount, currency, language.value);

/** Of amounts; two while the currency is not known. */
export const decimalsOf = (currency = 'USD') =>
  new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits;

export const count = (n: number) => new Intl.NumberFormat(language.value).format(n);

export const day = (time: string) =>
  new Intl.DateTimeFormat(language.value, { dateStyle: 'medium' }).format(new Date(time));

export const moment = (time: string) =>
  new Intl.DateTimeFormat(language.value, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(time));

/** The name of a country in the chosen language. */
export const country = (code: string) =>
  new Intl.DisplayNames(language.value, { type: 'region' }).of(code) ?? code;
