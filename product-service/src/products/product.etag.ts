import { INT32_MAX } from '@shop/service-kit/http/fields';
import type { Product } from './product.schemas.ts';

/** The part of a tag that an `If-Match` is compared by: all changes, or those of the catalogue's fields. */
export type KnownBy = 'version' | 'revision';

// Proxies that compress turn a tag into a weak one. Both name the same product, so both are taken.
const TAG = /^(?:W\/)?"(?<id>\d{1,10})-(?<version>\d{1,10})-(?<revision>\d{1,10})"$/;

/** Every change of a product is a new revision, so the tag needs no look at the bytes. */
export function etagOfProduct({
  id,
  version,
  revision,
}: Pick<Product, 'id' | 'version' | 'revision'>): string {
  return `"${id}-${version}-${revision}"`;
}

/** The versions or revisions of a product that an `If-Match` accepts; null accepts any, for no header and for `*`. */
export function knownIn(ifMatch: string | undefined, productId: number, by: KnownBy): number[] | null {
  if (ifMatch === undefined || ifMatch.trim() === '*') return null;
  return ifMatch.split(',').flatMap((tag) => {
    const parts = TAG.exec(tag.trim())?.groups ?? {};
    const known = Number(parts[by]);
    return Number(parts['id']) === productId && known <= INT32_MAX ? [known] : [];
  });
}
