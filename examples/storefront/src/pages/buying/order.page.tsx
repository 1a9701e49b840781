import { type Order, ShopError } from '@shop/client';
import { useState } from 'preact/hooks';
import { useLocation, useRoute } from 'preact-iso';
import { texts } from '../../i18n/index.ts';
import { country, moment } from '../../lib/format.ts';
import { useResource } from '../../lib/use-resource.ts';
import { shop } from '../../shop.ts';
import { Confirm } from '../../ui/dialog.tsx';
import { Icon } from '../../ui/icon.tsx';
import { type OrderStatus, STATUSES, StatusBadge } from '../../ui/order-status.tsx';
import { Page } from '../../ui/page.tsx';
import { Empty, Failed, Notice, Skeleton } from '../../ui/states.tsx';
import { say, sayFailure } from '../../ui/toast.tsx';
import { RequireUser } from '../require-user.tsx';
import { OrderSummary } from './order-summary.tsx';

export default function OrderPage() {
  const { id = '' } = useRoute().params;
  return <RequireUser>{(user) => <Loaded key={id} id={Number(id)} userId={user.id} />}</RequireUser>;
}

function Loaded({ id, userId }: { id: number; userId: number }) {
  const { data, failure, reload, replace } = useResource(`order ${id}`, (signal) =>
    shop.orders.get(id, { signal }),
  );
  if (data) return <Details order={data} isMine={data.user_id === userId} onChange={replace} />;
  if (failure instanceof ShopError && (failure.status === 404 || failure.status === 400))
    return <Empty icon="box" title={texts.value.failures.order_not_found} isPage />;
  if (failure) return <Failed failure={failure} onRetry={reload} isPage />;
  return (
    <div class="page">
      <Skeleton rows={5} />
    </div>
  );
}

interface DetailsProps {
  order: Order;
  isMine: boolean;
  onChange: (order: Order) => void;
}

function Details({ order, isMine, onChange }: DetailsProps) {
  const { orders, shop: words } = texts.value;
  const { query } = useLocation();
  const isNew = 'placed' in query;
  return (
    <Page
      title={isNew ? orders.thanks : orders.order(order.id)}
      before={
        !isNew && (
          <p class="small">
            <a href={isMine ? '/orders' : '/selling/orders'}>
              {words.back}: {isMine ? orders.title : texts.value.selling.orders}
            </a>
          </p>
        )
      }
      beside={<StatusBadge status={order.status} />}
    >
      <div class="stack">
        {isNew && (
          <Notice kind="good">
            <Icon name="check" /> {orders.thanksText(order.id)}
          </Notice>
        )}
        <div class="two-columns">
          <div class="stack">
            <Address order={order} />
            <History order={order} />
            {isMine && order.allowed_transitions.includes('cancelled') && (
              <CancelButton order={order} onChange={onChange} />
            )}
          </div>
          <OrderSummary quote={order} />
        </div>
      </div>
    </Page>
  );
}

function Address({ order: { shipping_address: address, note } }: { order: Order }) {
  const { orders, checkout } = texts.value;
  return (
    <section class="panel">
      <h2>{orders.address}</h2>
      {address ? (
        <address>
          {[
            address.name,
            address.line1,
            address.line2,
            [address.postal_code, address.city].filter(Boolean).join(' '),
            address.region,
            country(address.country),
            address.phone,
          ]
            .filter(Boolean)
            .map((line, index) => (
              <div key={index}>{line}</div>
            ))}
        </address>
      ) : (
        <p class="muted">{orders.noAddress}</p>
      )}
      {note && (
        <p class="muted">
          {checkout.note}: {note}
        </p>
      )}
    </section>
  );
}

/** The statuses up to this one. A cancelled order may have been packed before. */
const stepsTo = (status: OrderStatus): OrderStatus[] =>
  status === 'cancelled' ? ['pending', status] : STATUSES.slice(0, STATUSES.indexOf(status) + 1);

/** Read again whenever the status changes. Until the times are known, it has its final height. */
function History({ order: { id, status } }: { order: Order }) {
  const { orders, shop: words } = texts.value;
  const { data, failure, reload } = useResource(`history ${id} ${status}`, (signal) =>
    shop.orders.history(id, { signal }),
  );
  return (
    <section class="panel">
      <h2>{orders.history}</h2>
      {failure !== undefined && !data ? (
        <Failed failure={failure} onRetry={reload} />
      ) : (
        <ol class="timeline" aria-busy={!data}>
          {(data ?? stepsTo(status).map((to) => ({ to, at: undefined }))).map(({ to, at }) => (
            <li key={to}>
              <strong>{orders.status[to]}</strong>
              <p class={at ? 'muted small' : 'skeleton skeleton--line small'}>
                {at ? moment(at) : words.loading}
              </p>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

function CancelButton({ order, onChange }: Omit<DetailsProps, 'isMine'>) {
  const { orders } = texts.value;
  const [isAsking, setAsking] = useState(false);
  async function cancel() {
    setAsking(false);
    try {
      onChange(await shop.orders.cancel(order.id));
      say(orders.cancelled);
    } catch (error) {
      sayFailure(error);
      // Whatever happened meanwhile, show it.
      onChange(await shop.orders.get(order.id));
    }
  }
  return (
    <p>
      <button type="button" class="button button--danger" onClick={() => setAsking(true)}>
        {orders.cancel}
      </button>
      {isAsking && (
        <Confirm
          title={orders.cancelTitle}
          text={orders.cancelText}
          yes={orders.cancel}
          no={orders.keep}
          onYes={() => void cancel().catch(sayFailure)}
          onNo={() => setAsking(false)}
        />
      )}
    </p>
  );
}
