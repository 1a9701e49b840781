import { INT32_MAX } from '@shop/service-kit/http/fields';
import type { Product } from './product.schemas.ts';

// Proxies that compress turn a tag into a weak one. Both name the same version, so both are taken.
const TAG = /^(?:W\/)?"(\d{1,10})-(\d{1,10})"$/;

/** Every change of a product is a new version, so the tag needs no look at the bytes. */
export function etagOfProduct({ id, version }: Pick<Product, 'id' | 'version'>): string {
  return `"${id}-${version}"`;
}

/** The versions of a product that an `If-Match` accepts; null accepts any, for no header and for `*`. */
export function versionsIn(ifMatch: string | undefined, productId: number): number[] | null {
  if (ifMatch === undefined || ifMatch.trim() === '*') return null;
  return ifMatch.split(',').flatMap((tag) => {
    const [, id, version] = TAG.exec(tag.trim()) ?? [];
    return Number(id) === productId && Number(version) <= INT32_MAX ? [Number(version)] : [];
  });
}
