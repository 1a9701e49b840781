import { shop } from '../shop.ts';
import { useResource } from './use-resource.ts';

/** As many as one list may name. */
const AT_MOST = 100;

/** Pictures of products by their ids. Null for those without one, for those not sold any more, and until they are known. */
export function usePictures(ids: readonly number[]): (id: number) => string | null {
  const wanted = [...new Set(ids)].sort((a, b) => a - b).slice(0, AT_MOST);
  const key = wanted.length === 0 ? null : `pictures ${wanted}`;
  const { data } = useResource(key, async (signal) => {
    const { products } = await shop.products.list({ ids: wanted, per_page: AT_MOST }, { signal });
    return new Map(products.map(({ id, image_url }) => [id, image_url]));
  });
  return (id) => data?.get(id) ?? null;
}
