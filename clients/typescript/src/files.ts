import type { ImportResult } from './api.types.ts';
import type { Calls, FileBody } from './calls.ts';
import type { CallOptions, Query } from './types.ts';

export type FileType = 'text/csv' | 'application/vnd.ms-excel' | 'application/x-ndjson';

export interface ImportOptions extends CallOptions, Query<'importProducts'> {
  /** Of the file; by default the type of a Blob, else `text/csv`. */
  type?: FileType | undefined;
}

export const fileMethods = ({ send, open }: Calls) => ({
  /** Creates and updates products by their SKU, row by row. */
  import: (data: FileBody, options: ImportOptions = {}): Promise<ImportResult> => {
    const { type, signal: _, abort: __, ...query } = options;
    const file = { data, type: type ?? ((data instanceof Blob && data.type) || 'text/csv') };
    return send('post', '/api/products/import', { query, isLong: true, file }, options);
  },
  /** A file that `import` reads: `.body` is a stream, `.blob()` and `.text()` read it whole. */
  export: (query?: Query<'exportProducts'>, options?: CallOptions): Promise<Response> =>
    open('/api/products/export', { query }, options),
});
