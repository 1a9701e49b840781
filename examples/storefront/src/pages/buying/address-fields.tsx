import type { ShippingAddress } from '@shop/client';
import { texts } from '../../i18n/index.ts';
import { country } from '../../lib/format.ts';
import { Field, Select } from '../../ui/field.tsx';
import { COUNTRIES } from './countries.ts';

type Known = { [Name in keyof ShippingAddress]?: ShippingAddress[Name] | undefined };
const NAMES = ['name', 'line1', 'line2', 'postal_code', 'city', 'region', 'country', 'phone'] as const;
const path = (name: (typeof NAMES)[number]) => `shipping_address.${name}`;

/** The fields are named by their paths in an order, by which the API reports what is wrong. */
export function AddressFields({ address = {} }: { address?: Known | undefined }) {
  const { checkout } = texts.value;
  const countries = COUNTRIES.map((code): [string, string] => [code, country(code)]).sort(([, a], [, b]) =>
    a.localeCompare(b),
  );
  const text = (name: (typeof NAMES)[number], label: string, autoComplete: string, isOptional = false) => (
    <Field
      name={path(name)}
      label={label}
      autoComplete={autoComplete}
      isOptional={isOptional}
      required={!isOptional}
      maxLength={200}
      defaultValue={address[name] ?? ''}
    />
  );
  return (
    <>
      {text('name', checkout.name, 'name')}
      {text('line1', checkout.line1, 'address-line1')}
      {text('line2', checkout.line2, 'address-line2', true)}
      <div class="form__row">
        {text('postal_code', checkout.postalCode, 'postal-code')}
        {text('city', checkout.city, 'address-level2')}
      </div>
      <div class="form__row">
        <Select
          name={path('country')}
          label={checkout.country}
          autoComplete="country"
          value={address.country ?? ''}
          options={[['', checkout.chooseCountry], ...countries]}
        />
        {text('region', checkout.region, 'address-level1', true)}
      </div>
      <Field
        name={path('phone')}
        label={checkout.phone}
        hint={checkout.phoneHint}
        type="tel"
        autoComplete="tel"
        isOptional
        maxLength={200}
        defaultValue={address.phone ?? ''}
      />
    </>
  );
}

/** What was entered, as an order has it; empty fields are absent there. */
export const addressOf = (values: Record<string, string>) =>
  Object.fromEntries(
    NAMES.flatMap((name) => (values[path(name)] ? [[name, values[path(name)]]] : [])),
  ) as unknown as ShippingAddress;
