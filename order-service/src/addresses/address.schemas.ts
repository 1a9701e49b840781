import { optional, text } from '@shop/service-kit/http/fields';
import { z } from 'zod';
import { COUNTRIES, WITHOUT_POSTAL_CODES } from './countries.ts';

const MAX_TEXT = 200;
const addressText = (label: string) => text(label, { max: MAX_TEXT });

const fields = z.strictObject({
  name: addressText('Name'),
  line1: addressText('Line 1'),
  line2: optional(addressText('Line 2')),
  city: addressText('City'),
  region: optional(addressText('Region')),
  postal_code: optional(addressText('Postal code')),
  country: text('Country', { max: MAX_TEXT }).refine((code) => COUNTRIES.has(code), {
    error: 'Country must be an ISO 3166-1 alpha-2 code',
    params: { code: 'not_allowed' },
  }),
  phone: optional(addressText('Phone')),
});

/** Where an order goes. A postal code is required in countries that have them. */
export const shippingAddress = fields.refine(
  ({ postal_code, country }) => postal_code !== undefined || WITHOUT_POSTAL_CODES.has(country),
  { error: 'Postal code is required', path: ['postal_code'], params: { code: 'required' } },
);

/** A stored address as a response has it: never validated again, because the rules may have changed since. */
export const storedAddress = z.custom<unknown>().meta({
  description: 'What was stored, or null',
  anyOf: [z.toJSONSchema(fields, { io: 'input' }), { type: 'null' }],
});
