import type { Quote } from '@shop/client';
import { nameInBasket, setQuantity } from '../../basket.ts';
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

interface RefusalProps {
  /** As the shop refused them. */
  lines: readonly ShortLine[];
  onDone: () => void;
}

/** Offers to put into the basket what is left. */
export function SoldOutDialog(props: RefusalProps) {
  const { checkout } = texts.value;
  return (
    <RefusedLines
      {...props}
      title={checkout.soldOut}
      text={checkout.soldOutText}
      about={({ requested, available }) => checkout.available(requested, available)}
    />
  );
}

/** Offers to take out of the basket what is not sold any more. */
export function GoneDialog(props: RefusalProps) {
  const { checkout } = texts.value;
  return (
    <RefusedLines
      {...props}
      title={checkout.gone}
      text={checkout.goneText}
      about={({ requested }) => checkout.wanted(requested)}
    />
  );
}

interface RefusedLinesProps extends RefusalProps {
  title: string;
  text: string;
  about: (line: ShortLine) => string;
}

function RefusedLines({ title, text, lines, about, onDone }: RefusedLinesProps) {
  const { checkout } = texts.value;
  const adjust = () => {
    for (const { product_id, available } of lines) setQuantity(product_id, available);
    say(checkout.adjusted);
    onDone();
  };
  return (
    <Dialog
      title={title}
      onClose={onDone}
      actions={
        <button type="button" class="button button--primary" onClick={adjust}>
          {checkout.adjust}
        </button>
      }
    >
      <p>{text}</p>
      <ul class="tile-list">
        {lines.map((line) => (
          <li key={line.product_id}>
            <strong>{nameInBasket(line.product_id)}</strong>
            <span class="muted">{about(line)}</span>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
