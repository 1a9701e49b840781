import { texts } from '../../i18n/index.ts';
import { Empty } from '../../ui/states.tsx';
import { OrderList } from '../buying/orders.page.tsx';
import { Shipping } from '../selling/orders.page.tsx';
import { AdminPage } from './layout.tsx';

export default function AllOrdersPage() {
  const { admin } = texts.value;
  return (
    <AdminPage title={admin.orders}>
      {() => (
        <OrderList
          scope="all"
          basePath="/admin/orders"
          empty={<Empty icon="box" title={admin.none} />}
          detail={(order, onChange) => <Shipping order={order} onChange={onChange} />}
        />
      )}
    </AdminPage>
  );
}
