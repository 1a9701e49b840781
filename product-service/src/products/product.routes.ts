import { Forbidden } from '@shop/service-kit/errors/http-errors';
import { defineRoute, type Route } from '@shop/service-kit/http/define-route';
import { idParams } from '@shop/service-kit/http/fields';
import { rawReply, reply } from '@shop/service-kit/http/reply';
import type { CachedAnswer } from './product.cache.ts';
import { ProductNotFound, SkuTaken, VersionMismatch } from './product.errors.ts';
import {
  categoriesAnswer,
  categoriesQuery,
  changeHeaders,
  messageAnswer,
  type ProductSchemas,
} from './product.schemas.ts';
import type { ProductUseCases } from './product.use-cases.ts';

interface ProductRouteOptions {
  products: ProductUseCases;
  schemas: ProductSchemas;
}

const PATH = '/api/products';
const OWNER = 'its owner or an admin';
const LIST_SUMMARY = [
  'Products that match all filters; in_stock may follow the stock 5 s late',
  'q finds products that have every word of it, whole or as a beginning, in name, SKU, category or description; case, accents and punctuation do not matter, and in Chinese, Japanese, Korean and Thai any two characters in a row are found',
  'A word that fewer than five products have also finds the nearest known words, one or two letters off; words with a digit do not',
  'sort=relevance: whole SKU, whole name, words of the name, beginnings of words, category, description, then the newest',
  'sort=name follows the order of languages (apple, Über, Zebra)',
  'total is exact up to 10,000; total_is_estimate tells when there may be more',
].join('. ');

export function productRoutes({ products, schemas }: ProductRouteOptions): Route[] {
  const reads = { method: 'get', who: 'anyone', limit: 'catalogue_reads', status: 200 } as const;
  const writes = { who: 'user', limit: 'catalogue_writes' } as const;
  return [
    defineRoute({
      ...writes,
      method: 'post',
      path: PATH,
      summary: 'Put a product on sale; whoever creates it owns it',
      only: 'admins where PRODUCT_CREATION is admin',
      body: schemas.createBody,
      status: 201,
      answer: schemas.changedAnswer,
      errors: [Forbidden, SkuTaken],
      async handler({ body, user }) {
        const product = await products.createProduct(body, user);
        const headers = { Location: `${PATH}/${product.id}` };
        return reply({ message: 'Product created successfully', product }, { headers });
      },
    }),
    defineRoute({
      ...reads,
      path: PATH,
      summary: LIST_SUMMARY,
      query: schemas.listQuery,
      answer: schemas.listAnswer,
      handler: async ({ query }) => toReply(await products.listProducts(query)),
    }),
    defineRoute({
      ...reads,
      path: `${PATH}/categories`,
      summary:
        'Categories that have products, in language order: the 1,000 with most products, of one seller the 50 with most',
      query: categoriesQuery,
      answer: categoriesAnswer,
      handler: async ({ query }) => toReply(await products.listCategories(query.counts)),
    }),
    defineRoute({
      ...reads,
      path: `${PATH}/:id`,
      summary: 'One product',
      params: idParams,
      answer: schemas.productAnswer,
      errors: [ProductNotFound],
      handler: async ({ params }) => toReply(await products.readProduct(params.id)),
    }),
    defineRoute({
      ...writes,
      method: 'put',
      path: `${PATH}/:id`,
      summary:
        'Change a product: name and price are required, and optional fields that are left out stay as they are',
      only: OWNER,
      params: idParams,
      headers: changeHeaders,
      body: schemas.replaceBody,
      status: 200,
      answer: schemas.changedAnswer,
      errors: [Forbidden, ProductNotFound, SkuTaken, VersionMismatch],
      handler: async ({ params, body, user, headers }) => ({
        message: 'Product updated successfully',
        product: await products.changeProduct(params.id, body, user, headers['if-match']),
      }),
    }),
    defineRoute({
      ...writes,
      method: 'patch',
      path: `${PATH}/:id`,
      summary: 'Change some fields of a product',
      only: OWNER,
      params: idParams,
      headers: changeHeaders,
      body: schemas.changeBody,
      status: 200,
      answer: schemas.changedAnswer,
      errors: [Forbidden, ProductNotFound, SkuTaken, VersionMismatch],
      handler: async ({ params, body, user, headers }) => ({
        message: 'Product updated successfully',
        product: await products.changeProduct(params.id, body, user, headers['if-match']),
      }),
    }),
    defineRoute({
      ...writes,
      method: 'delete',
      path: `${PATH}/:id`,
      summary: 'Take a product off sale for good; orders keep their lines',
      only: OWNER,
      params: idParams,
      headers: changeHeaders,
      status: 200,
      answer: messageAnswer,
      errors: [Forbidden, ProductNotFound, VersionMismatch],
      async handler({ params, user, headers }) {
        await products.deleteProduct(params.id, user, headers['if-match']);
        return { message: 'Product deleted successfully' };
      },
    }),
  ];
}

function toReply({ bytes, etag, cacheStatus }: CachedAnswer) {
  return rawReply(bytes, { etag, headers: { 'Cache-Status': cacheStatus } });
}
