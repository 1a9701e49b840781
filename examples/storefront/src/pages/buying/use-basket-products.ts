import type { Product } from '@shop/client';
import { useRef } from 'preact/hooks';
import { type BasketLine, basket } from '../../basket.ts';
import { useResource } from '../../lib/use-resource.ts';
import { shop } from '../../shop.ts';

export interface ShownLine extends BasketLine {
  /** Undefined when it is not sold any more. */
  product: Product | undefined;
  /** What keeps it from being ordered. */
  problem: 'gone' | 'sold_out' | 'too_many' | undefined;
}

/** The basket with the current data of its products. */
export function useBasketProducts() {
  const lines = basket.value;
  const asked = useRef<number[]>([]);
  // When a product was taken out, the others need not be asked for again.
  if (lines.some(({ id }) => !asked.current.includes(id)))
    asked.current = lines.map(({ id }) => id).sort((a, b) => a - b);
  const ids = asked.current;
  const key = ids.length === 0 ? null : `basket ${ids}`;
  const resource = useResource(key, async (signal) => {
    const { products } = await shop.products.list({ ids, per_page: 100 }, { signal });
    return new Map(products.map((product) => [product.id, product]));
  });
  const shown = resource.data && lines.map((line) => shownLine(line, resource.data?.get(line.id)));
  return { ...resource, lines: lines.length === 0 ? [] : shown };
}

function shownLine(line: BasketLine, product: Product | undefined): ShownLine {
  return { ...line, product, problem: problemOf(line, product) };
}

function problemOf({ quantity }: BasketLine, product: Product | undefined): ShownLine['problem'] {
  if (product === undefined) return 'gone';
  if (product.stock === 0) return 'sold_out';
  return quantity > product.stock ? 'too_many' : undefined;
}
