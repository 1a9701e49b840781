import type { OrderLine } from '@shop/client';
import { Fragment } from 'preact';
import { texts } from '../../i18n/index.ts';
import { money } from '../../lib/format.ts';
import { usePictures } from '../../lib/use-pictures.ts';
import { Picture } from '../../ui/picture.tsx';

/** Lines and total of a quote or an order. */
export function OrderSummary({
  quote,
}: {
  quote: { products: OrderLine[]; total_amount: number; currency: string };
}) {
  const { checkout, basket } = texts.value;
  const pictureOf = usePictures(quote.products.map(({ product_id }) => product_id));
  return (
    <section class="panel two-columns__side">
      <h2>{checkout.summary}</h2>
      <dl class="sums number">
        {quote.products.map(({ product_id, name, quantity, subtotal }) => (
          <Fragment key={product_id}>
            <dt class="sums__line">
              <span class="thumb" aria-hidden="true">
                <Picture src={pictureOf(product_id)} />
              </span>
              <span>
                {quantity} × {name}
              </span>
            </dt>
            <dd>{money(subtotal, quote.currency)}</dd>
          </Fragment>
        ))}
        <dt>{basket.shipping}</dt>
        <dd>{basket.free}</dd>
        <dt class="sums__total">{basket.total}</dt>
        <dd class="sums__total">{money(quote.total_amount, quote.currency)}</dd>
      </dl>
    </section>
  );
}
