import { etagOf } from '@shop/service-kit/http/mount-routes';
import type { CachedBytes, CacheValue } from '@shop/service-kit/redis/cache-groups';

/** A page of a list, as its JSON has it: the products come first. */
export interface Page {
  products: { id: number }[];
}

const BEFORE_PRODUCT = '{"product":'.length;
const BEFORE_PRODUCTS = Buffer.from('{"products":[');
const BETWEEN_PRODUCTS = Buffer.from(',');
const AFTER_PRODUCTS = Buffer.from('],');

/** What is kept of a page: the ids in place of the tag, and the JSON of all but the products. */
export function keptOf({ products, ...rest }: Page): CachedBytes {
  return { etag: products.map(({ id }) => id).join(' '), bytes: Buffer.from(JSON.stringify(rest)) };
}

/** The reverse. */
export function splitPage(kept: CacheValue): { ids: string[]; rest: Buffer } {
  const { etag = '', bytes: rest = Buffer.from('{}') } = kept ?? {};
  return { ids: etag === '' ? [] : etag.split(' '), rest };
}

/**
 * The page with these products, each as the response `{"product":…}`; those that are gone are left out. The bytes are
 * those that the page would have as JSON.
 */
export function joinPage(products: readonly CacheValue[], rest: Buffer): CachedBytes {
  const shown = products.flatMap((product) =>
    product === null ? [] : [BETWEEN_PRODUCTS, product.bytes.subarray(BEFORE_PRODUCT, -1)],
  );
  const bytes = Buffer.concat([BEFORE_PRODUCTS, ...shown.slice(1), AFTER_PRODUCTS, rest.subarray(1)]);
  return { etag: etagOf(bytes), bytes };
}
