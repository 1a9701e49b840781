import { Readable } from 'node:stream';
import { Forbidden } from '@shop/service-kit/errors/http-errors';
import type { User } from '@shop/service-kit/http/request-context';
import type { Money } from '@shop/service-kit/money/money';
import type { ProductKey } from '../products/product.cursor.ts';
import type { ProductRepository } from '../products/product.repository.ts';
import type { ExportQuery, Product } from '../products/product.schemas.ts';
import { keyOf } from '../products/product.sort.ts';
import { CSV, NDJSON } from './import.reader.ts';

interface ExportUseCaseOptions {
  findPage: ProductRepository['findPage'];
  money: Money;
}

/** Products per statement and per chunk of the file. */
const PAGE = 500;

/** The columns, in this order. `import` reads them back. */
const COLUMNS = ['sku', 'name', 'description', 'price', 'stock', 'category', 'image_url'] as const;

type FileRecord = Record<(typeof COLUMNS)[number], string | number | null>;

/** Writes the catalogue as a file. */
export function createExportUseCases({ findPage, money }: ExportUseCaseOptions) {
  const toRecord = (product: Product): FileRecord => ({
    sku: product.sku,
    name: product.name,
    description: product.description ?? '',
    price: money.toMajor(product.price_minor),
    stock: product.stock,
    category: product.category,
    image_url: product.image_url,
  });

  /** Page by page in id order, so that statements stay short and none waits for a slow client. */
  async function* pages(filter: Omit<ExportQuery, 'format'>): AsyncGenerator<Product[]> {
    let after: ProductKey | undefined;
    for (;;) {
      const products = await findPage(filter, 'id', { limit: PAGE, page: null, offset: 0, after });
      const shown = products.slice(0, PAGE);
      yield shown;
      const last = shown.at(-1);
      if (last === undefined || products.length <= PAGE) return;
      after = keyOf(last, 'id');
    }
  }

  async function* toCsv(filter: Omit<ExportQuery, 'format'>) {
    yield `${COLUMNS.join(',')}\n`;
    for await (const products of pages(filter))
      yield products.map((product) => toCsvRow(toRecord(product))).join('');
  }

  async function* toNdjson(filter: Omit<ExportQuery, 'format'>) {
    for await (const products of pages(filter))
      yield products.map((product) => `${JSON.stringify(toRecord(product))}\n`).join('');
  }

  return {
    /** @throws Forbidden for the products of another seller, except for admins */
    exportProducts({ format, ...query }: ExportQuery, user: User) {
      const isAdmin = user.role === 'admin';
      const { owner_id = isAdmin ? undefined : user.id } = query;
      if (!isAdmin && owner_id !== user.id) throw new Forbidden();
      const filter = { ...query, owner_id };
      return {
        contentType: `${format === 'csv' ? CSV : NDJSON}; charset=utf-8`,
        file: Readable.from(format === 'csv' ? toCsv(filter) : toNdjson(filter), { objectMode: false }),
      };
    },
  };
}

export type ExportUseCases = ReturnType<typeof createExportUseCases>;

/** RFC 4180, and everything else that a reader could take for the end of a cell. */
const MUST_BE_QUOTED = /["\r\n,;\t]/;

const toCell = (value: string | number | null): string => {
  const text = String(value ?? '');
  return MUST_BE_QUOTED.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};
const toCsvRow = (record: FileRecord): string =>
  `${COLUMNS.map((column) => toCell(record[column])).join(',')}\n`;
