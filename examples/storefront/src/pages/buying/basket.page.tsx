import type { Product } from '@shop/client';
import { MAX_QUANTITY, nameInBasket, setQuantity } from '../../basket.ts';
import { texts } from '../../i18n/index.ts';
import { money } from '../../lib/format.ts';
import { Page } from '../../ui/page.tsx';
import { Picture } from '../../ui/picture.tsx';
import { Quantity } from '../../ui/quantity.tsx';
import { Empty, Failed, Notice, Skeleton } from '../../ui/states.tsx';
import { say } from '../../ui/toast.tsx';
import { type ShownLine, useBasketProducts } from './use-basket-products.ts';

export default function BasketPage() {
  const { basket } = texts.value;
  const { lines, failure, reload } = useBasketProducts();
  return (
    <Page title={basket.title}>
      {failure !== undefined && !lines ? (
        <Failed failure={failure} onRetry={reload} />
      ) : !lines ? (
        <Skeleton rows={3} height="7rem" />
      ) : lines.length === 0 ? (
        <Empty icon="basket" title={basket.empty} text={basket.emptyText}>
          <a class="button button--primary" href="/products">
            {texts.value.home.browse}
          </a>
        </Empty>
      ) : (
        <div class="two-columns">
          <ul>
            {lines.map((line) => (
              <Line key={line.id} line={line} />
            ))}
          </ul>
          <Summary lines={lines} />
        </div>
      )}
    </Page>
  );
}

function Line({ line }: { line: ShownLine }) {
  const { basket, shop } = texts.value;
  const { id, quantity, product, problem } = line;
  const name = product?.name ?? nameInBasket(id);
  const remove = () => {
    setQuantity(id, 0);
    say(basket.removed(name));
  };
  return (
    <li class="line">
      <Picture src={product?.image_url ?? null} isEager />
      <div>
        {product ? (
          <a class="line__name" href={`/products/${id}`}>
            {name}
          </a>
        ) : (
          <span class="line__name">{name}</span>
        )}
        {product && <p class="muted small number">{basket.each(money(product.price, product.currency))}</p>}
        {problem && <Problem line={line} />}
        <div class="line__controls">
          {product && problem !== 'sold_out' && (
            <Quantity
              value={quantity}
              max={Math.min(product.stock, MAX_QUANTITY)}
              name={name}
              onChange={(next) => setQuantity(id, next)}
            />
          )}
          <button
            type="button"
            class="link-button small"
            aria-label={`${shop.remove}: ${name}`}
            onClick={remove}
          >
            {shop.remove}
          </button>
        </div>
      </div>
      {product && <p class="number">{money(subtotal(product, quantity), product.currency)}</p>}
    </li>
  );
}

function Problem({ line: { id, product, problem } }: { line: ShownLine }) {
  const { basket } = texts.value;
  const stock = product?.stock ?? 0;
  const text = { gone: basket.gone, sold_out: basket.soldOut, too_many: basket.tooMany(stock) };
  return (
    <p class="line__problem small" role="alert">
      {problem && text[problem]}{' '}
      {problem === 'too_many' && (
        <button type="button" class="link-button small" onClick={() => setQuantity(id, stock)}>
          {basket.take(stock)}
        </button>
      )}
    </p>
  );
}

function Summary({ lines }: { lines: ShownLine[] }) {
  const { basket } = texts.value;
  const currency = lines.find(({ product }) => product)?.product?.currency;
  const total = lines.reduce(
    (sum, { product, quantity }) => sum + (product ? subtotal(product, quantity) : 0),
    0,
  );
  const isBlocked = lines.some(({ problem }) => problem);
  return (
    <div class="panel two-columns__side stack">
      {currency && (
        <dl class="sums number">
          <dt>{basket.shipping}</dt>
          <dd>{basket.free}</dd>
          <dt class="sums__total">{basket.total}</dt>
          <dd class="sums__total">{money(total, currency)}</dd>
        </dl>
      )}
      {isBlocked ? (
        <Notice kind="warn">{basket.fix}</Notice>
      ) : (
        <a class="button button--primary button--large button--wide" href="/checkout">
          {basket.checkout}
        </a>
      )}
    </div>
  );
}

/** For the eye only, rounded where it is shown; what an order costs the shop says in its quote. */
const subtotal = (product: Product, quantity: number) => product.price * quantity;
