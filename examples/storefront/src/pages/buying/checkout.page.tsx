import { type Quote, type ShippingAddress, ShopError } from '@shop/client';
import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { basket, orderLines } from '../../basket.ts';
import { texts } from '../../i18n/index.ts';
import { money } from '../../lib/format.ts';
import { forgetOrderKey, orderKeyFor } from '../../lib/order-key.ts';
import { useResource } from '../../lib/use-resource.ts';
import { shop } from '../../shop.ts';
import { TextArea } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';
import { Page } from '../../ui/page.tsx';
import { Empty, Failed, Skeleton } from '../../ui/states.tsx';
import { RequireUser } from '../require-user.tsx';
import { AddressFields, addressOf } from './address-fields.tsx';
import { OrderSummary } from './order-summary.tsx';
import { GoneDialog, PriceDialog, SoldOutDialog } from './refusal-dialogs.tsx';

export default function CheckoutPage() {
  return <RequireUser>{() => <Checkout />}</RequireUser>;
}

function Checkout() {
  const words = texts.value;
  const lines = basket.value;
  const products = orderLines(lines);
  const quote = useResource(lines.length === 0 ? null : `quote ${JSON.stringify(products)}`, (signal) =>
    shop.orders.quote({ products }, { signal }),
  );
  const last = useResource('last address', async (signal) => {
    const { orders } = await shop.orders.list({ per_page: 1 }, { signal });
    return orders[0]?.shipping_address ?? null;
  });
  const isReady = last.data !== undefined || last.failure !== undefined;
  if (lines.length === 0)
    return (
      <Page title={words.checkout.title}>
        <Empty icon="basket" title={words.basket.empty}>
          <a class="button" href="/products">
            {words.home.browse}
          </a>
        </Empty>
      </Page>
    );
  return (
    <Page title={words.checkout.title}>
      {quote.failure !== undefined ? (
        <QuoteRefused failure={quote.failure} onRetry={quote.reload} />
      ) : quote.data && isReady ? (
        <CheckoutForm quote={quote.data} onQuote={quote.replace} address={last.data ?? undefined} />
      ) : (
        <Skeleton rows={6} />
      )}
    </Page>
  );
}

function QuoteRefused({ failure, onRetry }: { failure: unknown; onRetry: () => void }) {
  const { route } = useLocation();
  if (failure instanceof ShopError && failure.code === 'insufficient_stock')
    return <SoldOutDialog lines={failure.details} onDone={() => route('/basket', true)} />;
  if (failure instanceof ShopError && failure.code === 'product_not_found')
    return <GoneDialog lines={failure.details ?? []} onDone={() => route('/basket', true)} />;
  return <Failed failure={failure} onRetry={onRetry} />;
}

interface CheckoutFormProps {
  quote: Quote;
  onQuote: (quote: Quote) => void;
  address: Partial<ShippingAddress> | undefined;
}

function CheckoutForm({ quote, onQuote, address }: CheckoutFormProps) {
  const { checkout } = texts.value;
  const { route } = useLocation();
  const [refusal, setRefusal] = useState<ShopError>();
  const [sent, setSent] = useState<Record<string, string>>({});

  async function place(values: Record<string, string>, expectedTotal: number) {
    setSent(values);
    const order = {
      products: orderLines(basket.value),
      expected_total: expectedTotal,
      shipping_address: addressOf(values),
      note: values['note'] || null,
    };
    try {
      const { id } = await shop.orders.place(order, { idempotencyKey: orderKeyFor(order) });
      forgetOrderKey();
      // What another tab has added meanwhile stays.
      basket.value = basket.value.filter((line) =>
        order.products.every(({ product_id }) => product_id !== line.id),
      );
      route(`/orders/${id}?placed`);
    } catch (error) {
      if (!(error instanceof ShopError)) throw error;
      if (isDecided(error)) forgetOrderKey();
      if (!REFUSALS.has(error.code)) throw error;
      setRefusal(error);
    }
  }

  return (
    <div class="two-columns">
      <div class="panel">
        <h2>{checkout.address}</h2>
        <Form
          submit={checkout.place(money(quote.total_amount, quote.currency))}
          onSubmit={(values) => place(values, quote.total_amount)}
        >
          <AddressFields address={address} />
          <TextArea name="note" label={checkout.note} isOptional rows={2} />
        </Form>
      </div>
      <OrderSummary quote={quote} />
      {refusal?.code === 'price_changed' && (
        <PriceDialog
          before={quote}
          now={refusal.problem.quote}
          onAccept={async () => {
            const { quote: fresh } = refusal.problem;
            setRefusal(undefined);
            onQuote(fresh);
            await place(sent, fresh.total_amount);
          }}
          onClose={() => {
            onQuote(refusal.problem.quote);
            setRefusal(undefined);
          }}
        />
      )}
      {refusal?.code === 'insufficient_stock' && (
        <SoldOutDialog lines={refusal.details} onDone={() => route('/basket')} />
      )}
      {refusal?.code === 'product_not_found' && (
        <GoneDialog lines={refusal.details ?? []} onDone={() => route('/basket')} />
      )}
    </div>
  );
}

const REFUSALS: ReadonlySet<string> = new Set(['price_changed', 'insufficient_stock', 'product_not_found']);

/**
 * Whether the shop has decided on the order. Without a response, while the shop is unavailable, or while it still works on an earlier
 * attempt, nobody knows: another key could order twice then.
 */
const isDecided = ({ status, code }: ShopError) =>
  status >= 400 && status < 500 && !UNDECIDED.has(code) && status !== 401;
const UNDECIDED: ReadonlySet<string> = new Set(['idempotency_in_flight', 'rate_limited']);
