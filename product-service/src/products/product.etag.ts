import { INT32_MAX } from '@shop/service-kit/http/fields';
import type { Product } from './product.schemas.ts';

/** Which part of the tag an `If-Match` is compared with: all changes, or only those of catalogue fields. */
export type KnownBy = 'version' | 'revision';

// Compressing proxies make a tag weak. Both forms name the same revision, so both are accepted.
const TAG = /^(?:W\/)?"(?<id>\d{1,10})-(?<version>\d{1,10})-(?<revision>\d{1,10})"$/;

/** Every change makes a new revision, so the tag does not depend on the bytes. */
export function etagOfProduct({
  id,
  version,
  revision,
}: Pick<Product, 'id' | 'version' | 'revision'>): string {
  return `"${id}-${version}-${revision}"`;
}

/** The versions or revisions that an `If-Match` accepts; null accepts any (no header, or `*`). */
export function knownIn(ifMatch: string | undefined, productId: number, by: KnownBy): number[] | null {
  if (ifMatch === undefined || ifMatch.trim() === '*') return null;
  return ifMatch.split(',').flatMap((tag) => {
    const parts = TAG.exec(tag.trim())?.groups ?? {};
    const known = Number(parts[by]);
    return Number(parts['id']) === productId && known <= INT32_MAX ? [known] : [];
  });
}
