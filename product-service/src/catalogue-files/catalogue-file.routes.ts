import { Forbidden, Unavailable } from '@shop/service-kit/errors/http-errors';
import { defineRoute, type Route } from '@shop/service-kit/http/define-route';
import { rawReply } from '@shop/service-kit/http/reply';
import type { ProductSchemas } from '../products/product.schemas.ts';
import type { ExportUseCases } from './export.use-cases.ts';
import { ImportRunning, TooManyFailures, UnreadableFile } from './import.errors.ts';
import { FORM, openForm } from './import.form.ts';
import { CSV, EXCEL, NDJSON } from './import.reader.ts';
import { importAnswer, importQuery } from './import.schemas.ts';
import type { ImportUseCases } from './import.use-cases.ts';

interface CatalogueFileRouteOptions {
  imports: ImportUseCases;
  exports: ExportUseCases;
  schemas: ProductSchemas;
  /** Bytes of an imported file. */
  maxBytes: number;
}

const TYPES = { [CSV]: { schema: { type: 'string' } }, [NDJSON]: { schema: { type: 'string' } } };
const TAKEN = [CSV, EXCEL, NDJSON, FORM];

export function catalogueFileRoutes({
  imports,
  exports,
  schemas,
  maxBytes,
}: CatalogueFileRouteOptions): Route[] {
  const rules = { who: 'user', limit: 'catalogue_files', status: 200 } as const;
  return [
    defineRoute({
      ...rules,
      method: 'post',
      path: '/api/products/import',
      summary:
        'Create the products of a file, and update those whose SKU is there, from any of their columns; rows without a SKU create. CSV needs a row of column names; an empty cell says nothing. A form has the file in its field file',
      only: 'admins where PRODUCT_CREATION is admin',
      query: importQuery,
      stream: { types: TAKEN, maxBytes },
      answer: importAnswer,
      errors: [Forbidden, UnreadableFile, TooManyFailures, ImportRunning, Unavailable],
      handler: ({ query, stream, user, caller }) =>
        imports.importProducts({
          file: () => (stream.mediaType === FORM ? openForm(stream) : stream),
          options: query,
          user,
          log: caller.log,
        }),
    }),
    defineRoute({
      ...rules,
      method: 'get',
      path: '/api/products/export',
      patience: 'steps',
      summary:
        'The own products that match all filters, or those of all sellers for an admin, as import reads them',
      query: schemas.exportQuery,
      answerTypes: TYPES,
      errors: [Forbidden],
      handler({ query, user }) {
        const { file, contentType } = exports.exportProducts(query, user);
        const name = `products-${new Date().toISOString().slice(0, 10)}.${query.format}`;
        return rawReply(file, {
          contentType,
          headers: { 'Content-Disposition': `attachment; filename="${name}"` },
        });
      },
    }),
  ];
}
