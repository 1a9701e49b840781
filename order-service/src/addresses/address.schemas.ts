import { optional, text } from '@shop/service-kit/http/fields';
import { z } from 'zod';
import { COUNTRIES, WITHOUT_POSTAL_CODES } from './countries.ts';

const MAX_TEXT = 200;
const addressText = (label: string, description: string, example: string) =>
  text(label, { max: MAX_TEXT }).meta({ description, example });

const fields = z.strictObject({
  name: addressText('Name', 'Name of the recipient.', 'Ada Lovelace'),
  line1: addressText('Line 1', 'Street and number.', '12 St James Square'),
  line2: optional(addressText('Line 2', 'Second address line.', 'Floor 2')),
  city: addressText('City', 'City.', 'London'),
  region: optional(addressText('Region', 'State or region.', 'England')),
  postal_code: optional(
    addressText('Postal code', 'Required in countries that have postal codes.', 'SW1Y 4JH'),
  ),
  country: text('Country', { max: MAX_TEXT })
    .refine((code) => COUNTRIES.has(code), {
      error: 'Country must be an ISO 3166-1 alpha-2 code',
      params: { code: 'not_allowed' },
    })
    .meta({
      description: 'ISO 3166-1 alpha-2 code.',
      pattern: '^[A-Z]{2}$',
      minLength: 2,
      maxLength: 2,
      example: 'GB',
    }),
  phone: optional(addressText('Phone', 'For the carrier.', '+44 20 7946 0000')),
});

const hasCountry = (address: unknown) => {
  const { country } = (address ?? {}) as { country?: unknown };
  return typeof country === 'string' && COUNTRIES.has(country);
};

/** A shipping address. A postal code is required in countries that have them. */
export const shippingAddress = fields
  .refine(({ postal_code, country }) => postal_code !== undefined || WITHOUT_POSTAL_CODES.has(country), {
    error: 'Postal code is required',
    path: ['postal_code'],
    params: { code: 'required' },
    // Also when other fields are wrong: all that is wrong is reported at once. But the country must be known.
    when: ({ issues, value }) => hasCountry(value) && !issues.some(({ path }) => path?.[0] === 'postal_code'),
  })
  .meta({ id: 'ShippingAddress', description: 'The shipping address of an order.' });

const shown = (description: string, example?: string) =>
  z
    .string()
    .meta({ description, maxLength: MAX_TEXT, ...(example === undefined ? {} : { examples: [example] }) });

/** A stored address in a response: not validated again, because the rules may have changed since. */
const storedFields = z.looseObject({
  name: shown('Name of the recipient.', 'Ada Lovelace'),
  line1: shown('Street and number.', '12 St James Square'),
  line2: shown('Second address line.').optional(),
  city: shown('City.', 'London'),
  region: shown('State or region.').optional(),
  postal_code: shown('Postal code.', 'SW1Y 4JH').optional(),
  country: shown('ISO 3166-1 alpha-2 code.', 'GB'),
  phone: shown('For the carrier.').optional(),
});
const { $schema: _, ...stored } = z.toJSONSchema(storedFields);
export const storedAddress = z
  .custom<unknown>()
  .meta({
    ...stored,
    id: 'StoredAddress',
    description: 'The shipping address as it was given. Old orders may have other fields too.',
  })
  .nullable()
  .meta({ description: 'Shipping address; null if none was given or the buyer was deleted.' });
