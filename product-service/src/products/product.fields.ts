import { clearable, integer, optional, text } from '@shop/service-kit/http/fields';
import { lengthOf } from '@shop/service-kit/text/texts';
import type { z } from 'zod';

export const MAX_STOCK = 1_000_000_000;
export const MAX_NAME = 200;

/** A letter of another script than Latin: one such character may be a whole word. */
const NON_LATIN = /(?![\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}])\p{L}/u;
const MIN_LATIN_NAME = 3;
const STOREFRONT = 'http://storefront.invalid';

export const name = text('Name', { max: MAX_NAME }).refine(
  (value) => lengthOf(value) >= MIN_LATIN_NAME || NON_LATIN.test(value),
  {
    error: `Name must be at least ${MIN_LATIN_NAME} characters`,
    params: { code: 'too_short', minimum: MIN_LATIN_NAME },
  },
);
const imageUrl = text('Image URL', { max: 2000 }).refine(isImageUrl, {
  error: 'Image URL must be an http or https address, or a path that begins with /',
});

/** A path stays on the storefront: `//host` and `/\\host` are addresses of others. */
function isImageUrl(value: string): boolean {
  if (/\s/.test(value)) return false;
  if (value.startsWith('/')) return URL.parse(value, STOREFRONT)?.origin === STOREFRONT;
  return /^https?:\/\//i.test(value) && URL.canParse(value);
}

/** What else a product has: its schema, and what it is set to when a client leaves it out or clears it. */
const FIELDS = {
  description: { schema: text('Description', { min: 0, max: 5000 }), empty: '' },
  category: { schema: text('Category', { max: 100 }), empty: 'General' },
  sku: { schema: text('SKU', { max: 64 }), empty: null },
  image_url: { schema: imageUrl, empty: null },
} as const;
const { description, category, sku, image_url } = FIELDS;
const stock = integer('Stock', { min: 0, max: MAX_STOCK, wrong: 'Stock must be a non-negative integer' });

/** In a new product. */
export const initial = {
  description: optional(description.schema).describe('Empty where it is left out'),
  category: optional(category.schema).describe(`${category.empty} where it is left out`),
  sku: optional(sku.schema),
  image_url: optional(image_url.schema),
  stock: optional(stock).describe('0 where it is left out'),
};
/** In PUT and PATCH: what is left out stays as it is, `null` and blank texts clear. */
export const changed = {
  description: clearable(description.schema, description.empty),
  category: clearable(category.schema, category.empty),
  sku: clearable(sku.schema, sku.empty),
  image_url: clearable(image_url.schema, image_url.empty),
  stock: optional(stock),
};

type Given = { [Field in keyof typeof initial]?: z.output<(typeof initial)[Field]> };

/** What a new product has where nothing else was given. */
export const withInitial = <Body extends Given>(body: Body) => ({
  ...body,
  description: body.description ?? description.empty,
  category: body.category ?? category.empty,
  sku: body.sku ?? sku.empty,
  image_url: body.image_url ?? image_url.empty,
  stock: body.stock ?? 0,
});
