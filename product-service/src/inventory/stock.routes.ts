import { defineRoute, type Route } from '@shop/service-kit/http/define-route';
import { idParams } from '@shop/service-kit/http/fields';
import { changedProduct } from '../products/product.reply.ts';
import { changeHeaders, type ProductSchemas } from '../products/product.schemas.ts';
import { errorsOf } from './stock.errors.ts';
import { movementsQuery, movementsResponse, stockBody } from './stock.schemas.ts';
import type { StockUseCases } from './stock.use-cases.ts';

interface StockRouteOptions {
  stock: StockUseCases;
  schemas: ProductSchemas;
}

export function stockRoutes({ stock, schemas }: StockRouteOptions): Route[] {
  const owners = { who: 'user', only: 'its owner or an admin', params: idParams, status: 200 } as const;
  return [
    defineRoute({
      ...owners,
      method: 'put',
      path: '/api/products/:id/stock',
      operationId: 'adjustStock',
      tag: 'Stock',
      summary: 'Add to the stock of a product, or take from it',
      description:
        '`quantity` is added to the stock; a negative value reduces it. If there is too little stock, nothing changes (`insufficient_stock`). To set the stock to a value, use PUT or PATCH of the product.',
      responseHeaders: ['ETag'],
      limit: 'catalogue_writes',
      headers: changeHeaders,
      body: stockBody,
      response: schemas.adjustedResponse,
      errors: errorsOf.adjustStock,
      async handler({ params, body, user, headers }) {
        const product = await stock.adjustStock(params.id, body, user, headers['if-match']);
        return changedProduct('Stock updated successfully', product);
      },
    }),
    defineRoute({
      ...owners,
      method: 'get',
      path: '/api/products/:id/stock-movements',
      operationId: 'listStockMovements',
      tag: 'Stock',
      summary: 'List the stock movements of a product, newest first',
      description: 'The ledger: all deltas of a product add up to its stock.',
      limit: 'catalogue_reads',
      query: movementsQuery,
      response: movementsResponse,
      errors: errorsOf.listStockMovements,
      handler: ({ params, query, user }) => stock.listMovements(params.id, query, user),
    }),
  ];
}
