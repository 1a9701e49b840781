import { useLocation } from 'preact-iso';
import { texts } from '../../i18n/index.ts';
import { useResource } from '../../lib/use-resource.ts';
import { shop } from '../../shop.ts';
import { Form } from '../../ui/form.tsx';
import { say } from '../../ui/toast.tsx';
import { SellingPage } from './layout.tsx';
import { changesOf, numberOf, ProductFields } from './product-fields.tsx';

export default function NewProductPage() {
  const { selling } = texts.value;
  return <SellingPage title={selling.create}>{() => <NewProduct />}</SellingPage>;
}

function NewProduct() {
  const { selling, shop: words } = texts.value;
  const { route } = useLocation();
  // The shop names its currency with amounts only.
  const { data: currency } = useResource(
    'currency',
    async (signal) => (await shop.orders.stats({ signal })).currency,
  );
  return (
    <div class="panel">
      <Form
        submit={words.save}
        onSubmit={async (values) => {
          const { id, name } = await shop.products.create({
            ...changesOf(values, currency),
            stock: values['stock'] ? numberOf(values['stock']) : null,
          });
          say(selling.created(name));
          route(`/selling/${id}`);
        }}
      >
        <ProductFields currency={currency} />
      </Form>
    </div>
  );
}
