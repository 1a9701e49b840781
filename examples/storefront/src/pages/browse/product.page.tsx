import { type Product, ShopError } from '@shop/client';
import { useState } from 'preact/hooks';
import { useRoute } from 'preact-iso';
import { basket, isBasketFull, MAX_QUANTITY, quantityInBasket, setQuantity } from '../../basket.ts';
import { texts } from '../../i18n/index.ts';
import { money } from '../../lib/format.ts';
import { listHref } from '../../lib/list-query.ts';
import { useResource } from '../../lib/use-resource.ts';
import { shop, user } from '../../shop.ts';
import { Icon } from '../../ui/icon.tsx';
import { PageTitle } from '../../ui/page.tsx';
import { Picture } from '../../ui/picture.tsx';
import { Quantity } from '../../ui/quantity.tsx';
import { Empty, Failed, Skeleton } from '../../ui/states.tsx';
import { Stock } from '../../ui/stock.tsx';
import { say } from '../../ui/toast.tsx';
import { Shelf } from './home.page.tsx';

const RELATED = 4;

export function ProductPage() {
  const { id = '' } = useRoute().params;
  const { data, failure, reload } = useResource(`product ${id}`, (signal) =>
    shop.products.get(Number(id), { signal }),
  );
  if (failure instanceof ShopError && (failure.status === 404 || failure.status === 400)) return <Gone />;
  if (data?.id === Number(id)) return <Details key={data.id} product={data} />;
  if (failure) return <Failed failure={failure} onRetry={reload} isPage />;
  return (
    <div class="page product">
      <div class="picture skeleton" />
      <Skeleton rows={4} height="3.5rem" />
    </div>
  );
}

function Gone() {
  const { product, home } = texts.value;
  return (
    <Empty icon="box" title={product.gone} isPage>
      <a class="button" href="/products">
        {home.browse}
      </a>
    </Empty>
  );
}

function Details({ product }: { product: Product }) {
  const { product: words } = texts.value;
  return (
    <div class="page">
      <div class="product">
        <Picture src={product.image_url} isEager />
        <div class="product__text">
          <p class="card__category">
            <a href={listHref({ category: product.category })}>{product.category}</a>
          </p>
          <PageTitle title={product.name} />
          <p class="product__price number">{money(product.price, product.currency)}</p>
          <p class="product__description">{product.description}</p>
          <p>
            <Stock stock={product.stock} />
          </p>
          <AddToBasket product={product} />
          <ul class="product__facts small">
            <li>
              <Icon name="truck" size={20} /> {words.delivery}
            </li>
            {product.sku && (
              <li class="muted">
                {words.number}: {product.sku}
              </li>
            )}
            {user.value && (user.value.id === product.owner_id || user.value.role === 'admin') && (
              <li>
                <a href={`/selling/${product.id}`}>{words.edit}</a>
              </li>
            )}
          </ul>
        </div>
      </div>
      <Shelf
        title={words.related}
        name={`related ${product.id}`}
        load={async (signal) => {
          const page = await shop.products.list(
            { category: product.category, in_stock: true, per_page: RELATED + 1 },
            { signal },
          );
          return page.products.filter(({ id }) => id !== product.id).slice(0, RELATED);
        }}
      />
    </div>
  );
}

function AddToBasket({ product }: { product: Product }) {
  const { product: words } = texts.value;
  const [wanted, setWanted] = useState(1);
  const inBasket = quantityInBasket(product.id);
  const left = Math.min(product.stock, MAX_QUANTITY) - inBasket;
  const isFull = inBasket === 0 && isBasketFull();
  const quantity = Math.max(1, Math.min(wanted, left));
  const add = () => {
    setQuantity(product.id, inBasket + quantity, product.name);
    setWanted(1);
    say(words.added(product.name), { href: '/basket', text: words.toBasket });
  };
  if (product.stock === 0) return null;
  return (
    <div class="buy">
      {left > 0 && !isFull && (
        <div class="buy__row">
          <Quantity value={quantity} max={left} name={product.name} onChange={setWanted} />
          <button type="button" class="button button--primary button--large" onClick={add}>
            {words.add}
          </button>
        </div>
      )}
      {isFull && <p>{words.basketFull}</p>}
      <p class="muted small buy__state" aria-live="polite">
        {left <= 0 && basket.value.length > 0 ? words.allInBasket : inBasket > 0 && words.inBasket(inBasket)}
        {inBasket > 0 && (
          <>
            {' · '}
            <a href="/basket">{words.toBasket}</a>
          </>
        )}
      </p>
    </div>
  );
}
