import type { Query } from '@shop/client';

export const SORTS = ['relevance', 'id', '-created_at', 'price', '-price', 'name'] as const;
export type Sort = (typeof SORTS)[number];
export const PER_PAGE = 24;

/** The filters of the product list, as texts from the address bar. */
export interface ListFilters {
  q?: string;
  category?: string;
  min_price?: string;
  max_price?: string;
  in_stock?: string;
  sort?: string;
  page?: string;
}

const NAMES = ['q', 'category', 'min_price', 'max_price', 'in_stock', 'sort', 'page'] as const;
const AMOUNT = /^\d{1,10}(\.\d{1,4})?$/;

/** Address of the list with these filters; empty ones are left out. */
export function listHref(filters: ListFilters): string {
  const params = new URLSearchParams();
  for (const name of NAMES) if (filters[name]) params.set(name, filters[name]);
  return params.size === 0 ? '/products' : `/products?${params}`;
}

export const isSort = (value: string | undefined): value is Sort => SORTS.some((sort) => sort === value);

/** What the API is asked. Nonsense in the address is left out, so that every address shows something. */
export function toQuery({ q, category, min_price, max_price, in_stock, sort, page }: ListFilters) {
  const min = amount(min_price);
  const max = amount(max_price);
  return {
    q: q || undefined,
    category: category || undefined,
    min_price: min,
    max_price: max !== undefined && min !== undefined && max < min ? undefined : max,
    in_stock: in_stock === 'true' ? true : undefined,
    sort: isSort(sort) && !(sort === 'relevance' && !q) ? sort : undefined,
    page: pageOf(page),
    per_page: PER_PAGE,
  } satisfies Query<'listProducts'>;
}

const amount = (text: string | undefined) => (text && AMOUNT.test(text) ? Number(text) : undefined);

/** The API shows pages up to row 10,000. */
const LAST_PAGE = Math.floor(10_000 / PER_PAGE);

export function pageOf(text: string | undefined): number {
  const n = Number(text);
  return Number.isInteger(n) && n >= 1 ? Math.min(n, LAST_PAGE) : 1;
}
