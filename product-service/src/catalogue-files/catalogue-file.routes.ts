import { defineRoute, type Route } from '@shop/service-kit/http/define-route';
import { rawReply } from '@shop/service-kit/http/reply';
import type { ProductSchemas } from '../products/product.schemas.ts';
import type { ExportUseCases } from './export.use-cases.ts';
import { errorsOf } from './import.errors.ts';
import { FORM, openForm } from './import.form.ts';
import { CSV, EXCEL, NDJSON } from './import.reader.ts';
import { importProgress, importQuery, importResponse } from './import.schemas.ts';
import type { ImportUseCases } from './import.use-cases.ts';

interface CatalogueFileRouteOptions {
  imports: ImportUseCases;
  exports: ExportUseCases;
  schemas: ProductSchemas;
  /** Bytes of an imported file. */
  maxBytes: number;
}

const IMPORTING = [
  'A row whose SKU exists updates that product, with whichever columns it has; any other row creates one. CSV needs a first line with column names; an empty cell leaves a field as it is. A form has the file in its field `file`.',
  'The body is read as a stream. Refused rows are reported; the others are written. If an import is cut off, the problem document has the counts so far and `last_line`.',
].join('\n\n');

const CSV_FILE = 'sku,name,price,stock\r\nLAMP-1,Desk lamp,39.90,50\r\n';
const NDJSON_FILE = '{"sku":"LAMP-1","name":"Desk lamp","price":39.9,"stock":50}\n';
const plain = (example: string, maxLength?: number) => ({
  schema: { type: 'string', ...(maxLength === undefined ? {} : { maxLength }) },
  example,
});
const TYPES = { [CSV]: plain(CSV_FILE), [NDJSON]: plain(NDJSON_FILE) };
const bodies = (maxBytes: number) => ({
  [CSV]: plain(CSV_FILE, maxBytes),
  [NDJSON]: plain(NDJSON_FILE, maxBytes),
  [EXCEL]: plain(CSV_FILE, maxBytes),
  [FORM]: {
    schema: {
      type: 'object',
      properties: { file: { type: 'string', maxLength: maxBytes, description: 'The file: CSV or NDJSON.' } },
      additionalProperties: false,
      required: ['file'],
    },
    example: { file: CSV_FILE },
  },
});
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
      operationId: 'importProducts',
      tag: 'Files',
      summary: 'Create and update products from a file',
      description: IMPORTING,
      problemMembers: importProgress,
      only: 'admins where PRODUCT_CREATION is admin',
      query: importQuery,
      stream: { types: TAKEN, maxBytes, examples: bodies(maxBytes) },
      response: importResponse,
      errors: errorsOf.importProducts,
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
      timeLimit: 'steps',
      operationId: 'exportProducts',
      tag: 'Files',
      summary: 'Download products as a file that import reads back',
      description:
        "The caller's own products that match all filters, in the order of their ids; for admins those of all sellers.",
      responseDescription: 'The file',
      responseHeaders: ['Content-Disposition'],
      query: schemas.exportQuery,
      responseTypes: TYPES,
      errors: errorsOf.exportProducts,
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
