import type { Calls, FileBody } from './calls.ts';
import { everyRow } from './paging.ts';
import type {
  Body,
  CallOptions,
  Categories,
  ChangeOptions,
  Filter,
  ImportResult,
  Product,
  ProductPage,
  Query,
  ReadOptions,
  StockMovementPage,
} from './types.ts';

export type FileType = 'text/csv' | 'application/vnd.ms-excel' | 'application/x-ndjson';

export interface ImportOptions extends CallOptions, Query<'importProducts'> {
  /** Of the file; by default the type of a Blob, else `text/csv`. */
  type?: FileType | undefined;
}

export function productCalls({ send, take, open }: Calls) {
  const isOpen = true;
  const list = (query?: Query<'listProducts'>, options?: ReadOptions<ProductPage>): Promise<ProductPage> =>
    send('get', '/api/products', { ...options, query, isOpen });
  const stockMovements = (
    id: number,
    query?: Query<'listStockMovements'>,
    options?: CallOptions,
  ): Promise<StockMovementPage> =>
    send('get', '/api/products/{id}/stock-movements', { ...options, id, query });
  return {
    /** One page, with `next_cursor` and `total`. */
    list,
    /** Every product that matches, page after page as they are read. */
    all: (query?: Filter<'listProducts'>, options?: CallOptions) =>
      everyRow(
        (at) => list({ ...at, ...query }, options),
        ({ products }) => products,
      ),
    get: (id: number, options?: ReadOptions<Product>): Promise<Product> =>
      take('get', '/api/products/{id}', 'product', { ...options, id, isOpen }),
    create: (product: Body<'createProduct'>, options?: CallOptions): Promise<Product> =>
      take('post', '/api/products', 'product', { ...options, body: product }),
    /** Name and price must be there; other fields that are left out stay as they are. */
    update: (id: number, product: Body<'replaceProduct'>, options?: ChangeOptions): Promise<Product> =>
      take('put', '/api/products/{id}', 'product', { ...options, id, body: product }),
    /** Any of the fields. */
    patch: (
      id: number,
      changes: NonNullable<Body<'updateProduct'>>,
      options?: ChangeOptions,
    ): Promise<Product> => take('patch', '/api/products/{id}', 'product', { ...options, id, body: changes }),
    delete: (id: number, options?: ChangeOptions) =>
      take('delete', '/api/products/{id}', 'message', { ...options, id }),
    /** @param change its `quantity` is a difference: negative takes units away */
    adjustStock: (id: number, change: Body<'adjustStock'>, options?: ChangeOptions): Promise<Product> =>
      take('put', '/api/products/{id}/stock', 'product', { ...options, id, body: change }),
    /** One page of the ledger, newest first. */
    stockMovements,
    allStockMovements: (id: number, options?: CallOptions) =>
      everyRow(
        (at) => stockMovements(id, at, options),
        ({ movements }) => movements,
      ),
    /** Names of all categories; with `counts`, how many products each has. */
    categories: (query?: Query<'listCategories'>, options?: ReadOptions<Categories>): Promise<Categories> =>
      send('get', '/api/products/categories', { ...options, query, isOpen }),
    /** Creates and updates products by their SKU, row by row. */
    import: (data: FileBody, { type, signal, ...query }: ImportOptions = {}): Promise<ImportResult> =>
      send('post', '/api/products/import', {
        signal,
        query,
        isLong: true,
        file: { data, type: type ?? ((data instanceof Blob && data.type) || 'text/csv') },
      }),
    /** A file that `import` reads: `.body` is a stream, `.blob()` and `.text()` read it whole. */
    export: (query?: Query<'exportProducts'>, options?: CallOptions): Promise<Response> =>
      open('/api/products/export', { ...options, query }),
  };
}
