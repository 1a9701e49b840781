import { defineRoute, type Route } from '@shop/service-kit/http/define-route';
import { idParams } from '@shop/service-kit/http/fields';
import { rawReply } from '@shop/service-kit/http/reply';
import type { CachedResponse } from './product.cache.ts';
import { errorsOf } from './product.errors.ts';
import { changedProduct } from './product.reply.ts';
import { categoriesQuery, changeHeaders, type ProductSchemas } from './product.schemas.ts';
import { categoriesResponse, messageResponse } from './product.shape.ts';
import type { ProductUseCases } from './product.use-cases.ts';

interface ProductRouteOptions {
  products: ProductUseCases;
  schemas: ProductSchemas;
}

const PATH = '/api/products';
const OWNER = 'its owner or an admin';
const LISTING = [
  '`q` finds products that have every word of it, whole or as the beginning of a word, in name, SKU, category or description. Case, accents and punctuation do not matter. In Chinese, Japanese, Korean and Thai any two consecutive characters are found. A word found in fewer than five products also matches the closest known words, one or two letters away. Words with a digit do not.',
  'A search is ordered by `relevance`: SKU, whole name, words of the name, beginnings of words, category, description, then newest. `sort=name` sorts in language order (apple, Über, Zebra).',
  'A change is visible within 1 s, a pure stock change within 5 s, also in `in_stock`.',
].join('\n\n');
const REPLACING =
  'Optional fields that are left out stay as they are; null clears them. With `If-Match` the change is made only if the product is still the one with this `ETag`; a change of the stock alone does not count unless `stock` is set.';

export function productRoutes({ products, schemas }: ProductRouteOptions): Route[] {
  const reads = {
    method: 'get',
    who: 'anyone',
    limit: 'catalogue_reads',
    status: 200,
    conditional: true,
    responseHeaders: ['Cache-Status'],
  } as const;
  const writes = { who: 'user', limit: 'catalogue_writes' } as const;
  return [
    defineRoute({
      ...writes,
      method: 'post',
      path: PATH,
      operationId: 'createProduct',
      tag: 'Products',
      summary: 'Create a product',
      description: 'The creator owns the product. It is on sale immediately.',
      responseHeaders: ['Location', 'ETag'],
      only: 'admins where PRODUCT_CREATION is admin',
      body: schemas.createBody,
      status: 201,
      response: schemas.createdResponse,
      errors: errorsOf.createProduct,
      async handler({ body, user }) {
        const product = await products.createProduct(body, user);
        const headers = { Location: `${PATH}/${product.id}` };
        return changedProduct('Product created successfully', product, headers);
      },
    }),
    defineRoute({
      ...reads,
      path: PATH,
      operationId: 'listProducts',
      tag: 'Products',
      summary: 'List, filter and search products',
      description: LISTING,
      query: schemas.listQuery,
      response: schemas.listResponse,
      handler: async ({ query }) => toReply(await products.listProducts(query)),
    }),
    defineRoute({
      ...reads,
      path: `${PATH}/categories`,
      operationId: 'listCategories',
      tag: 'Products',
      summary: 'List the categories that have products, in language order',
      description:
        'At most 1,000. If there are more, those with the most products are listed; of the categories that only one seller uses, the 50 with the most come before the others.',
      query: categoriesQuery,
      response: categoriesResponse,
      handler: async ({ query }) => toReply(await products.listCategories(query.counts)),
    }),
    defineRoute({
      ...reads,
      path: `${PATH}/:id`,
      operationId: 'getProduct',
      tag: 'Products',
      summary: 'Get one product',
      params: idParams,
      response: schemas.productResponse,
      errors: errorsOf.getProduct,
      handler: async ({ params }) => toReply(await products.readProduct(params.id)),
    }),
    defineRoute({
      ...writes,
      method: 'put',
      path: `${PATH}/:id`,
      operationId: 'replaceProduct',
      tag: 'Products',
      responseHeaders: ['ETag'],
      summary: 'Change a product; name and price are required',
      description: REPLACING,
      only: OWNER,
      params: idParams,
      headers: changeHeaders,
      body: schemas.replaceBody,
      status: 200,
      response: schemas.changedResponse,
      errors: errorsOf.replaceProduct,
      async handler({ params, body, user, headers }) {
        const product = await products.changeProduct(params.id, body, user, headers['if-match']);
        return changedProduct('Product updated successfully', product);
      },
    }),
    defineRoute({
      ...writes,
      method: 'patch',
      path: `${PATH}/:id`,
      operationId: 'updateProduct',
      tag: 'Products',
      responseHeaders: ['ETag'],
      summary: 'Change some fields of a product',
      description: REPLACING,
      only: OWNER,
      params: idParams,
      headers: changeHeaders,
      body: schemas.changeBody,
      status: 200,
      response: schemas.changedResponse,
      errors: errorsOf.updateProduct,
      async handler({ params, body, user, headers }) {
        const product = await products.changeProduct(params.id, body, user, headers['if-match']);
        return changedProduct('Product updated successfully', product);
      },
    }),
    defineRoute({
      ...writes,
      method: 'delete',
      path: `${PATH}/:id`,
      operationId: 'deleteProduct',
      tag: 'Products',
      summary: 'Delete a product',
      description: 'It leaves the catalogue and can no longer be ordered. Existing orders keep their lines.',
      only: OWNER,
      params: idParams,
      headers: changeHeaders,
      status: 200,
      response: messageResponse,
      errors: errorsOf.deleteProduct,
      async handler({ params, user, headers }) {
        await products.deleteProduct(params.id, user, headers['if-match']);
        return { message: 'Product deleted successfully' };
      },
    }),
  ];
}

function toReply({ bytes, etag, cacheStatus }: CachedResponse) {
  return rawReply(bytes, { etag, headers: { 'Cache-Status': cacheStatus } });
}
