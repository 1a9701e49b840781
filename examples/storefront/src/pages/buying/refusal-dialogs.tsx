import type { OrderLine, Quote } from '@shop/client';
import { basket, setQuantity } from '../../basket.ts';
import { texts } from '../../i18n/index.ts';
import { money } from '../../lib/format.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { say, sayFailure } from '../../ui/toast.tsx';

interface PriceDialogProps {
  before: Quote;
  now: Quote;
  onAccept: () => Promise<void>;
  onClose: () => void;
}

/** Nothing is ordered at a price that the buyer has not seen. */
export function PriceDialog({ before, now, onAccept, onClose }: PriceDialogProps) {
  const { checkout, shop } = texts.value;
  const priceBefore = new Map(before.products.map(({ product_id, price }) => [product_id, price]));
  const changed = now.products.filter(({ product_id, price }) => priceBefore.get(product_id) !== price);
  return (
    <Dialog
      title={checkout.priceChanged}
      onClose={onClose}
      actions={
        <>
          <button
            type="button"
            class="button button--primary"
            onClick={() => void onAccept().catch(sayFailure)}
          >
            {checkout.acceptPrice(money(now.total_amount, now.currency))}
          </button>
          <button type="button" class="button" onClick={onClose}>
            {shop.cancel}
          </button>
        </>
      }
    >
      <p>{checkout.priceChangedText}</p>
      <ul class="tile-list">
        {changed.map(({ product_id, name, price }) => (
          <li key={product_id}>
            <strong>{name}</strong>
            <span class="number">
              <s class="muted">
                <span class="visually-hidden">{checkout.before} </span>
                {money(priceBefore.get(product_id) ?? price, now.currency)}
              </s>{' '}
              <span class="visually-hidden">{checkout.now} </span>
              {money(price, now.currency)}
            </span>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

interface ShortLine {
  product_id: number;
  requested: number;
  available: number;
}

/** Offers to put into the basket what is left. */
export function SoldOutDialog({
  lines,
  names = [],
  onDone,
}: {
  lines: ShortLine[];
  names?: OrderLine[];
  onDone: () => void;
}) {
  const { checkout } = texts.value;
  const nameOf = new Map(names.map(({ product_id, name }) => [product_id, name]));
  const adjust = () => {
    for (const { product_id, available } of lines) setQuantity(product_id, available);
    say(checkout.adjusted);
    onDone();
  };
  return (
    <Dialog
      title={checkout.soldOut}
      onClose={onDone}
      actions={
        <button type="button" class="button button--primary" onClick={adjust}>
          {checkout.adjust}
        </button>
      }
    >
      <p>{checkout.soldOutText}</p>
      <ul class="tile-list">
        {lines.map(({ product_id, requested, available }) => (
          <li key={product_id}>
            <strong>{nameOf.get(product_id) ?? `№ ${product_id}`}</strong>
            <span class="muted">{checkout.available(requested, available)}</span>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

/** The basket says which one it is. */
export function GoneDialog({ onDone }: { onDone: () => void }) {
  const { checkout, basket: words } = texts.value;
  return (
    <Dialog
      title={checkout.gone}
      onClose={onDone}
      actions={
        <button type="button" class="button button--primary" onClick={onDone}>
          {texts.value.product.toBasket}
        </button>
      }
    >
      <p>{words.label(basket.value.length)}</p>
    </Dialog>
  );
}
