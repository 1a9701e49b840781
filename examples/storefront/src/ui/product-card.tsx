import type { Product } from '@shop/client';
import { texts } from '../i18n/index.ts';
import { money } from '../lib/format.ts';
import { Picture } from './picture.tsx';
import { Stock } from './stock.tsx';

/** How many pictures of a list are in view when the page opens, on a wide screen. */
const EAGER = 8;

function ProductCard({ product, isEager = false }: { product: Product; isEager?: boolean }) {
  return (
    <li class={product.stock === 0 ? 'card card--gone' : 'card'}>
      <Picture src={product.image_url} isEager={isEager} />
      <div class="card__text">
        <p class="card__category">{product.category}</p>
        <h3>
          <a class="card__link" href={`/products/${product.id}`}>
            {product.name}
          </a>
        </h3>
        <p class="card__price number">{money(product.price, product.currency)}</p>
      </div>
      <span class="card__badge">
        <Stock stock={product.stock} isQuiet />
      </span>
    </li>
  );
}

export function ProductGrid({ products, isDimmed = false }: { products: Product[]; isDimmed?: boolean }) {
  return (
    <ul class={isDimmed ? 'grid grid--dimmed' : 'grid'}>
      {products.map((product, index) => (
        <ProductCard key={product.id} product={product} isEager={index < EAGER} />
      ))}
    </ul>
  );
}

/** As many empty cards as will come. */
export function GridSkeleton({ cards }: { cards: number }) {
  return (
    <div role="status">
      <span class="visually-hidden">{texts.value.shop.loading}</span>
      <ul class="grid" aria-hidden="true">
        {Array.from({ length: cards }, (_, index) => (
          <li key={index} class="card">
            <div class="picture skeleton" />
            <div class="card__text">
              <p class="card__category skeleton skeleton--line">&nbsp;</p>
              <h3 class="skeleton skeleton--line">&nbsp;</h3>
              <p class="card__price skeleton skeleton--line skeleton--short">&nbsp;</p>
            </div>
          </li>
        ))}
      </ul>
    </div>
  );
}
