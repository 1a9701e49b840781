import type { Product } from '@shop/client';
import { texts } from '../../i18n/index.ts';
import { decimalsOf } from '../../lib/format.ts';
import { Field, TextArea } from '../../ui/field.tsx';

/** What of a product its seller can edit; the stock of one that exists is changed in the ledger. */
export const EDITABLE = ['name', 'price', 'category', 'sku', 'image_url', 'description'] as const;
export type Editable = (typeof EDITABLE)[number];

export function ProductFields({ product, currency }: { product?: Product; currency: string | undefined }) {
  const { selling } = texts.value;
  return (
    <>
      <Field name="name" label={selling.name} required maxLength={200} defaultValue={product?.name ?? ''} />
      <div class="form__row">
        <Field
          name="price"
          label={currency ? `${selling.price} (${currency})` : selling.price}
          inputMode="decimal"
          required
          defaultValue={product ? String(product.price) : ''}
        />
        {!product && (
          <Field name="stock" label={selling.stock} inputMode="numeric" isOptional defaultValue="1" />
        )}
        <Field
          name="category"
          label={selling.category}
          isOptional
          maxLength={100}
          defaultValue={product?.category ?? ''}
        />
      </div>
      <Field name="sku" label={selling.sku} isOptional defaultValue={product?.sku ?? ''} />
      <Field
        name="image_url"
        label={selling.image}
        hint={selling.imageHint}
        isOptional
        defaultValue={product?.image_url ?? ''}
      />
      <TextArea
        name="description"
        label={selling.description}
        isOptional
        value={product?.description ?? ''}
      />
    </>
  );
}

/**
 * A number as it was typed, with a comma as well. Text that is none is left for the shop to refuse, and so is `1.000` or
 * `1,000`, which means a thousand or one, unless there are three decimals.
 */
export function numberOf(text = '', decimals = 0): number {
  const plain = text.trim().replace(',', '.');
  const isClear = /^[+-]?\d+(\.\d+)?$/.test(plain) && (decimals === 3 || !/\.\d{3}$/.test(plain));
  return (isClear ? Number(plain) : plain) as number;
}

/** As the API has it: empty fields are absent, or cleared. */
export const changesOf = (values: Record<string, string>, currency: string | undefined) => ({
  name: values['name'] ?? '',
  price: numberOf(values['price'], decimalsOf(currency)),
  category: values['category'] || null,
  sku: values['sku'] || null,
  image_url: values['image_url'] || null,
  description: values['description'] || null,
});
