import { type Product, ShopError } from '@shop/client';
import { useState } from 'preact/hooks';
import { useLocation, useRoute } from 'preact-iso';
import { texts } from '../../i18n/index.ts';
import { useResource } from '../../lib/use-resource.ts';
import { shop } from '../../shop.ts';
import { Confirm } from '../../ui/dialog.tsx';
import { Form } from '../../ui/form.tsx';
import { Empty, Failed, Skeleton } from '../../ui/states.tsx';
import { say, sayFailure } from '../../ui/toast.tsx';
import { ConflictDialog } from './conflict-dialog.tsx';
import { SellingPage } from './layout.tsx';
import { changesOf, ProductFields } from './product-fields.tsx';
import { StockPanel } from './stock-panel.tsx';

export default function EditProductPage() {
  const { id = '' } = useRoute().params;
  const resource = useResource(`product ${id}`, (signal) => shop.products.get(Number(id), { signal }));
  const { data, failure, reload, replace } = resource;
  const product = data?.id === Number(id) ? data : undefined;
  return (
    <SellingPage title={product?.name ?? texts.value.selling.mine}>
      {() =>
        failure instanceof ShopError && failure.status === 404 ? (
          <Empty icon="box" title={texts.value.product.gone} />
        ) : product ? (
          <div class="two-columns two-columns--even">
            <Edit product={product} onChange={replace} />
            <StockPanel product={product} onChange={replace} />
          </div>
        ) : failure !== undefined ? (
          <Failed failure={failure} onRetry={reload} />
        ) : (
          <Skeleton rows={6} />
        )
      }
    </SellingPage>
  );
}

interface EditProps {
  product: Product;
  onChange: (product: Product) => void;
}

interface Conflict {
  mine: ReturnType<typeof changesOf>;
  theirs: Product;
}

/** A save names the version that was opened. Where another has been saved since, it asks instead of overwriting. */
function Edit({ product, onChange }: EditProps) {
  const { selling, shop: words } = texts.value;
  const [opened, setOpened] = useState(product);
  const [conflict, setConflict] = useState<Conflict>();
  const done = (saved: Product) => {
    setConflict(undefined);
    setOpened(saved);
    onChange(saved);
  };
  async function save(mine: Conflict['mine'], on: Product) {
    try {
      done(await shop.products.patch(product.id, mine, { ifMatch: on }));
      say(selling.saved);
    } catch (error) {
      if (!(error instanceof ShopError) || error.code !== 'version_mismatch') throw error;
      setConflict({ mine, theirs: await shop.products.get(product.id) });
    }
  }
  return (
    <section class="panel">
      <Form
        key={opened.version}
        submit={words.save}
        onSubmit={(values) => save(changesOf(values, product.currency), opened)}
        actions={
          <>
            <a href={`/products/${product.id}`}>{selling.view}</a>
            <DeleteButton product={product} />
          </>
        }
      >
        <ProductFields product={opened} currency={product.currency} />
      </Form>
      {conflict && (
        <ConflictDialog
          {...conflict}
          onKeep={() => void save(conflict.mine, conflict.theirs).catch(sayFailure)}
          onTake={() => done(conflict.theirs)}
          onClose={() => setConflict(undefined)}
        />
      )}
    </section>
  );
}

function DeleteButton({ product }: { product: Product }) {
  const { selling, shop: words } = texts.value;
  const { route } = useLocation();
  const [isAsking, setAsking] = useState(false);
  async function remove() {
    setAsking(false);
    try {
      await shop.products.delete(product.id);
      say(selling.deleted);
      route('/selling', true);
    } catch (error) {
      sayFailure(error);
    }
  }
  return (
    <>
      <button type="button" class="button button--danger" onClick={() => setAsking(true)}>
        {selling.delete}
      </button>
      {isAsking && (
        <Confirm
          title={selling.deleteTitle}
          text={selling.deleteText}
          yes={selling.delete}
          no={words.cancel}
          onYes={() => void remove()}
          onNo={() => setAsking(false)}
        />
      )}
    </>
  );
}
