import type { ProductQuery } from './product.schemas.ts';

/**
 * The kinds of change that can affect which products a list shows, or their order. Lists that depend only on ids, sellers,
 * categories and creation times change when products are added, deleted or moved to another category.
 */
type Kind = 'fixed' | 'fields' | 'stock';

const KINDS: Record<'all' | 'by fields', Kind[]> = {
  all: ['fixed', 'fields', 'stock'],
  'by fields': ['fields', 'stock'],
};

/**
 * A group of lists that one change can affect: of one kind, of one category or of all. A search is of all: how it corrects
 * words depends on the whole catalogue.
 */
export function groupOfList(query: ProductQuery): string {
  return groupOf(kindOf(query), query.q === undefined ? query.category : undefined);
}

/** All groups of lists that can show products of these categories. */
export function groupsOfLists(categories: string[], which: keyof typeof KINDS): string[] {
  const places = [undefined, ...new Set(categories)];
  return KINDS[which].flatMap((kind) => places.map((category) => groupOf(kind, category)));
}

export const looksAtStock = (group: string): boolean => group.startsWith('stock');

const groupOf = (kind: Kind, category: string | undefined): string =>
  category === undefined ? kind : `${kind}:${keyOfCategory(category)}`;

/** Equal for all spellings of a category, like the SQL function `category_key`. */
const keyOfCategory = (category: string): string => category.normalize('NFKC').toLowerCase();

function kindOf({ sort, q, min_price, max_price, in_stock }: ProductQuery): Kind {
  if (in_stock !== undefined) return 'stock';
  const isFixed = /^-?(id|created_at)$/.test(sort);
  const looksAtFields = q !== undefined || min_price !== undefined || max_price !== undefined;
  return isFixed && !looksAtFields ? 'fixed' : 'fields';
}
