import type { ProductQuery } from './product.schemas.ts';

/**
 * What can change which products a list shows, or their order. Lists that look at nothing but ids, sellers, categories and
 * the time of creation change when products come, go or move to another category.
 */
type Kind = 'fixed' | 'fields' | 'stock';

const KINDS: Record<'all' | 'by fields', Kind[]> = {
  all: ['fixed', 'fields', 'stock'],
  'by fields': ['fields', 'stock'],
};

/** The lists that a change can change together: those of a category or of all, of one kind. */
export function groupOfList(query: ProductQuery): string {
  return groupOf(kindOf(query), query.category);
}

/** The groups of all lists that can show products of these categories. */
export function groupsOfLists(categories: string[], which: keyof typeof KINDS): string[] {
  const places = [undefined, ...new Set(categories)];
  return KINDS[which].flatMap((kind) => places.map((category) => groupOf(kind, category)));
}

export const looksAtStock = (group: string): boolean => group.startsWith('stock');

const groupOf = (kind: Kind, category: string | undefined): string =>
  category === undefined ? kind : `${kind}:${keyOfCategory(category)}`;

/** The same for all spellings of a category, as the function `category_key`. */
const keyOfCategory = (category: string): string => category.normalize('NFKC').toLowerCase();

function kindOf({ sort, q, min_price, max_price, in_stock }: ProductQuery): Kind {
  if (in_stock !== undefined) return 'stock';
  const isFixed = /^-?(id|created_at)$/.test(sort);
  const looksAtFields = q !== undefined || min_price !== undefined || max_price !== undefined;
  return isFixed && !looksAtFields ? 'fixed' : 'fields';
}
