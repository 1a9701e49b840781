import type { Order } from '@shop/client';
import { texts } from '../../i18n/index.ts';
import { country } from '../../lib/format.ts';
import { shop } from '../../shop.ts';
import { Empty } from '../../ui/states.tsx';
import { say, sayFailure } from '../../ui/toast.tsx';
import { OrderList } from '../buying/orders.page.tsx';
import { SellingPage } from './layout.tsx';

export default function SellingOrdersPage() {
  const { selling } = texts.value;
  return (
    <SellingPage title={selling.orders}>
      {() => (
        <OrderList
          scope="selling"
          basePath="/selling/orders"
          empty={<Empty icon="truck" title={selling.toShip} text={selling.toShipText} />}
          detail={(order, onChange) => <Shipping order={order} onChange={onChange} />}
        />
      )}
    </SellingPage>
  );
}

/** Where it goes, and the statuses that this seller or admin may set now. */
export function Shipping({ order, onChange }: { order: Order; onChange: (order: Order) => void }) {
  const { selling, orders } = texts.value;
  const address = order.shipping_address;
  async function set(status: Order['status']) {
    try {
      onChange(await shop.orders.setStatus(order.id, status));
      say(selling.statusSet(order.id, orders.status[status]));
    } catch (error) {
      sayFailure(error);
      onChange(await shop.orders.get(order.id));
    }
  }
  return (
    <>
      <p class="small">
        <span class="muted">
          {selling.buyer(order.user_id)}
          {address && ` · ${selling.shipTo}: `}
        </span>
        {address &&
          [
            address.name,
            address.line1,
            `${address.postal_code ?? ''} ${address.city}`.trim(),
            country(address.country),
          ].join(', ')}
      </p>
      {order.partial && <p class="muted small">{selling.partial}</p>}
      {order.allowed_transitions.length > 0 && (
        <p class="toolbar">
          {order.allowed_transitions.map((status) => (
            <button
              key={status}
              type="button"
              class={status === 'cancelled' ? 'button button--small button--danger' : 'button button--small'}
              onClick={() => void set(status).catch(sayFailure)}
            >
              {selling.setStatus(orders.status[status])}
            </button>
          ))}
        </p>
      )}
    </>
  );
}
