/** `formatMoney(999.99, 'USD')` → `$999.99`, as the locale writes it; by default that of the browser. */
export function formatMoney(amount: number, currency: string, locale?: string): string {
  return new Intl.NumberFormat(locale, { style: 'currency', currency }).format(amount);
}
