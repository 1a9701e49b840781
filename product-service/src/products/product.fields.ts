import { clearable, integer, optional, text, textOf } from '@shop/service-kit/http/fields';
import { lengthOf } from '@shop/service-kit/text/texts';
import { z } from 'zod';

export const MAX_STOCK = 1_000_000_000;
export const MAX_NAME = 200;
const MAX_DESCRIPTION = 5000;
export const MAX_CATEGORY = 100;
const MAX_SKU = 64;
const MAX_IMAGE_URL = 2000;

/** A letter of a non-Latin script: one such character can be a whole word. */
const NON_LATIN = /(?![\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}])\p{L}/u;
const MIN_LATIN_NAME = 3;
const STOREFRONT = 'http://storefront.invalid';

export const name = text('Name', { max: MAX_NAME })
  .refine((value) => lengthOf(value) >= MIN_LATIN_NAME || NON_LATIN.test(value), {
    error: `Name must be at least ${MIN_LATIN_NAME} characters`,
    params: { code: 'too_short', minimum: MIN_LATIN_NAME },
  })
  .meta({
    description: `At least ${MIN_LATIN_NAME} characters, unless it has a letter of another script than Latin.`,
    example: 'Desk lamp',
  });
const imageUrl = text('Image URL', { max: MAX_IMAGE_URL }).refine(isImageUrl, {
  error: 'Image URL must be an http or https address, or a path that begins with /',
  params: { code: 'not_a_url' },
});

/** A path must stay on the storefront: `//host` and `/\\host` would lead to another host. */
function isImageUrl(value: string): boolean {
  if (/\s/.test(value)) return false;
  if (value.startsWith('/')) return URL.parse(value, STOREFRONT)?.origin === STOREFRONT;
  return /^https?:\/\//i.test(value) && URL.canParse(value);
}

/** The optional fields: schema, default (which also applies when a client clears the field), and documentation. */
const FIELDS = {
  description: {
    schema: text('Description', { min: 0, max: MAX_DESCRIPTION }),
    empty: '',
    meta: { description: 'Description of the product.', example: 'Brass, with a dimmer' },
    shown: textOf('Description of the product; may be empty.', MAX_DESCRIPTION, 'Brass, with a dimmer'),
  },
  category: {
    schema: text('Category', { max: MAX_CATEGORY }),
    empty: 'General',
    meta: {
      description:
        'The category. Categories that differ only in case or Unicode form are one category, spelled as it was first written.',
      example: 'Lighting',
    },
    shown: textOf('Its category.', MAX_CATEGORY, 'Lighting'),
  },
  sku: {
    schema: text('SKU', { max: MAX_SKU }),
    empty: null,
    meta: { description: "Stock-keeping unit: the seller's own code, unique in the shop." },
    shown: z
      .string()
      .nullable()
      .meta({
        description: "Stock-keeping unit: the seller's own code, unique in the shop.",
        maxLength: MAX_SKU,
        examples: ['LAMP-1'],
      }),
  },
  image_url: {
    schema: imageUrl,
    empty: null,
    meta: {
      description: 'An http(s) address, or a path of the storefront that begins with `/`.',
      example: '/images/desk-lamp.jpg',
    },
    shown: z
      .string()
      .nullable()
      .meta({
        description: 'An http(s) address, or a path of the storefront.',
        maxLength: MAX_IMAGE_URL,
        examples: ['/images/desk-lamp.jpg'],
      }),
  },
} as const;
const { description, category, sku, image_url } = FIELDS;
const stock = integer('Stock', { min: 0, max: MAX_STOCK, wrong: 'Stock must be a non-negative integer' });

const ofStock = { description: 'Units in stock.', example: 50 };

/** In a new product. */
export const initial = {
  description: optional(description.schema).meta(description.meta),
  category: optional(category.schema).meta({ ...category.meta, byDefault: category.empty }),
  sku: optional(sku.schema).meta(sku.meta),
  image_url: optional(image_url.schema).meta(image_url.meta),
  stock: optional(stock).meta({ ...ofStock, byDefault: 0 }),
};
/** For PUT and PATCH: omitted fields keep their values; `null` and blank texts clear them. */
export const changed = {
  description: clearable(description.schema, description.empty).meta(description.meta),
  category: clearable(category.schema, category.empty).meta(category.meta),
  sku: clearable(sku.schema, sku.empty).meta(sku.meta),
  image_url: clearable(image_url.schema, image_url.empty).meta(image_url.meta),
  stock: optional(stock).meta(ofStock),
};

/** In responses. */
export const shownFields = {
  description: description.shown,
  category: category.shown,
  sku: sku.shown,
  image_url: image_url.shown,
};
/** The columns of the fields that a client may set, and their types in SQL. */
export const FIELD_COLUMNS = {
  name: 'text',
  description: 'text',
  price_minor: 'bigint',
  stock: 'int',
  category: 'text',
  sku: 'text',
  image_url: 'text',
} as const;

type Given = { [Field in keyof typeof initial]?: z.output<(typeof initial)[Field]> };

/** The defaults of a new product. */
export const withInitial = <Body extends Given>(body: Body) => ({
  ...body,
  description: body.description ?? description.empty,
  category: body.category ?? category.empty,
  sku: body.sku ?? sku.empty,
  image_url: body.image_url ?? image_url.empty,
  stock: body.stock ?? 0,
});
