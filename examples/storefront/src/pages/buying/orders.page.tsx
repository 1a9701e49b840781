import type { Order, OrderPage } from '@shop/client';
import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { texts } from '../../i18n/index.ts';
import { day, money } from '../../lib/format.ts';
import { usePictures } from '../../lib/use-pictures.ts';
import { useResource } from '../../lib/use-resource.ts';
import { shop } from '../../shop.ts';
import { type OrderStatus, STATUSES, StatusBadge } from '../../ui/order-status.tsx';
import { Page } from '../../ui/page.tsx';
import { Picture } from '../../ui/picture.tsx';
import { Empty, Failed, Skeleton } from '../../ui/states.tsx';
import { sayFailure } from '../../ui/toast.tsx';
import { RequireUser } from '../require-user.tsx';

export default function OrdersPage() {
  const { orders } = texts.value;
  return (
    <RequireUser>
      {({ id }) => (
        <Page title={orders.title} beside={<Spent userId={id} />}>
          <OrderList
            scope="own"
            basePath="/orders"
            empty={
              <Empty icon="box" title={orders.none} text={orders.noneText}>
                <a class="button" href="/products">
                  {texts.value.home.browse}
                </a>
              </Empty>
            }
          />
        </Page>
      )}
    </RequireUser>
  );
}

function Spent({ userId }: { userId: number }) {
  const { data } = useResource(`stats ${userId}`, (signal) => shop.orders.stats({ signal }));
  return (
    <p class="muted number">
      {data && `${texts.value.orders.spent}: ${money(data.total_spent, data.currency)}`}&nbsp;
    </p>
  );
}

interface OrderListProps {
  scope: 'own' | 'selling' | 'all';
  /** The page whose address has the status. */
  basePath: string;
  empty: preact.ComponentChildren;
  /** Below each order. */
  detail?: (order: Order, onChange: (order: Order) => void) => preact.ComponentChildren;
}

/** Orders with a filter by status, and older ones as they are asked for. */
export function OrderList({ scope, basePath, empty, detail }: OrderListProps) {
  const { orders } = texts.value;
  const { query } = useLocation();
  const status = STATUSES.find((known) => known === query['status']);
  const filter = { scope, per_page: 20, ...(status && { status }) };
  const resource = useResource(`orders ${JSON.stringify(filter)}`, (signal) =>
    shop.orders.list(filter, { signal }),
  );
  const { data, failure, reload, isLoading, replace } = resource;
  const pictureOf = usePictures(picturedIn(data));
  const change = (order: Order) => {
    if (data)
      replace({ ...data, orders: data.orders.map((known) => (known.id === order.id ? order : known)) });
  };
  return (
    <>
      <StatusTabs basePath={basePath} status={status} />
      <h2 class="visually-hidden">{status ? orders.status[status] : orders.anyStatus}</h2>
      {failure !== undefined && !data ? (
        <Failed failure={failure} onRetry={reload} />
      ) : !data ? (
        <Skeleton rows={4} height="6.5rem" />
      ) : data.orders.length === 0 && !isLoading ? (
        empty
      ) : (
        <>
          <ul class={isLoading ? 'stack grid--dimmed' : 'stack'}>
            {data.orders.map((order) => (
              <li key={order.id} class="panel">
                <OrderRow order={order} pictureOf={pictureOf} />
                {detail?.(order, change)}
              </li>
            ))}
          </ul>
          <Older page={data} load={(cursor) => shop.orders.list({ ...filter, cursor })} onLoaded={replace} />
        </>
      )}
      <p class="visually-hidden" aria-live="polite">
        {data && orders.units(data.orders.length)}
      </p>
    </>
  );
}

function StatusTabs({ basePath, status }: { basePath: string; status: OrderStatus | undefined }) {
  const { orders } = texts.value;
  return (
    <nav class="tabs" aria-label={orders.filter}>
      <a href={basePath} aria-current={status === undefined ? 'page' : undefined}>
        {orders.anyStatus}
      </a>
      {STATUSES.map((name) => (
        <a key={name} href={`${basePath}?status=${name}`} aria-current={name === status ? 'page' : undefined}>
          {orders.status[name]}
        </a>
      ))}
    </nav>
  );
}

/** Those of which a list shows pictures: four have room on a phone. */
const shownLines = ({ products }: Order) => products.slice(0, 4);

const picturedIn = (page: OrderPage | undefined): number[] =>
  (page?.orders ?? []).flatMap(shownLines).map(({ product_id }) => product_id);

interface OrderRowProps {
  order: Order;
  pictureOf: (productId: number) => string | null;
}

function OrderRow({ order, pictureOf }: OrderRowProps) {
  const { orders } = texts.value;
  const units = order.products.reduce((sum, { quantity }) => sum + quantity, 0);
  return (
    <div class="order-row">
      <h3>
        <a href={`/orders/${order.id}`}>{orders.order(order.id)}</a>
      </h3>
      <StatusBadge status={order.status} />
      <p class="muted small">
        {day(order.created_at)} · {orders.units(units)} · {order.products.map(({ name }) => name).join(', ')}
      </p>
      <p class="number">{money(order.total_amount, order.currency)}</p>
      <div class="order-row__pictures" aria-hidden="true">
        {shownLines(order).map(({ product_id }) => (
          <div key={product_id} class="thumb">
            <Picture src={pictureOf(product_id)} />
          </div>
        ))}
      </div>
    </div>
  );
}

interface OlderProps {
  page: OrderPage;
  load: (cursor: string) => Promise<OrderPage>;
  onLoaded: (page: OrderPage) => void;
}

function Older({ page, load, onLoaded }: OlderProps) {
  const [isBusy, setBusy] = useState(false);
  const cursor = page.next_cursor;
  if (cursor === null) return null;
  async function more(from: string) {
    setBusy(true);
    try {
      const next = await load(from);
      onLoaded({ ...next, orders: [...page.orders, ...next.orders] });
    } catch (error) {
      sayFailure(error);
    } finally {
      setBusy(false);
    }
  }
  return (
    <p class="pager">
      <button type="button" class="button" disabled={isBusy} onClick={() => void more(cursor)}>
        {texts.value.orders.older}
      </button>
    </p>
  );
}
