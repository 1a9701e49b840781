import type { Product } from '@shop/client';
import { useState } from 'preact/hooks';
import { texts } from '../../i18n/index.ts';
import { count, moment } from '../../lib/format.ts';
import { useResource } from '../../lib/use-resource.ts';
import { shop } from '../../shop.ts';
import { Field } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';
import { Failed, Skeleton, TableBox } from '../../ui/states.tsx';
import { say, sayFailure } from '../../ui/toast.tsx';
import { numberOf } from './product-fields.tsx';

interface StockPanelProps {
  product: Product;
  onChange: (product: Product) => void;
}

/** Stock changes by differences, so that a sale in between is not lost; each is a row of the ledger. */
export function StockPanel({ product, onChange }: StockPanelProps) {
  const { selling } = texts.value;
  const [round, setRound] = useState(0);
  return (
    <section class="panel stack">
      <h2>
        {selling.stock}: <span class="number">{count(product.stock)}</span>
      </h2>
      <Form
        key={round}
        submit={selling.book}
        onSubmit={async ({ quantity, reason }) => {
          const changed = await shop.products.adjustStock(product.id, {
            quantity: numberOf(quantity),
            reason: reason || null,
          });
          onChange(changed);
          setRound(round + 1);
          say(selling.booked(changed.stock));
        }}
      >
        <div class="form__row">
          <Field name="quantity" label={selling.difference} hint={selling.adjustHint} required />
          <Field name="reason" label={selling.reason} hint={selling.reasonHint} isOptional maxLength={200} />
        </div>
      </Form>
      <Ledger product={product} round={round} />
    </section>
  );
}

function Ledger({ product: { id, stock }, round }: { product: Product; round: number }) {
  const { selling } = texts.value;
  const key = `ledger ${id} ${stock} ${round}`;
  const { data, failure, reload, replace } = useResource(key, (signal) =>
    shop.products.stockMovements(id, { per_page: 10 }, { signal }),
  );
  async function older(cursor: string) {
    const next = await shop.products.stockMovements(id, { cursor, per_page: 10 });
    if (data) replace({ ...next, movements: [...data.movements, ...next.movements] });
  }
  if (failure !== undefined && !data) return <Failed failure={failure} onRetry={reload} />;
  if (!data) return <Skeleton rows={4} height="2.5rem" />;
  const cursor = data.next_cursor;
  return (
    <>
      <TableBox label={selling.ledger}>
        <thead>
          <tr>
            <th scope="col">{selling.when}</th>
            <th scope="col">{selling.reason}</th>
            <th scope="col" class="number">
              {selling.change}
            </th>
            <th scope="col" class="number">
              {selling.after}
            </th>
          </tr>
        </thead>
        <tbody>
          {data.movements.map((row) => (
            <tr key={row.id}>
              <td class="small">{moment(row.created_at)}</td>
              <td class="small">{row.reason}</td>
              <td class="number">{row.delta > 0 ? `+${count(row.delta)}` : count(row.delta)}</td>
              <td class="number">{count(row.stock_after)}</td>
            </tr>
          ))}
        </tbody>
      </TableBox>
      {cursor !== null && (
        <p>
          <button
            type="button"
            class="button button--small"
            onClick={() => void older(cursor).catch(sayFailure)}
          >
            {selling.older}
          </button>
        </p>
      )}
    </>
  );
}
