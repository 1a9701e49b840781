import { Readable } from 'node:stream';
import { Forbidden } from '@shop/service-kit/errors/http-errors';
import type { User } from '@shop/service-kit/http/principal';
import type { Money } from '@shop/service-kit/money/money';
import type { ProductKey } from '../products/product.cursor.ts';
import { FIELD_COLUMNS } from '../products/product.fields.ts';
import type { ProductRepository } from '../products/product.repository.ts';
import type { ExportQuery, Product } from '../products/product.schemas.ts';
import { keyOf } from '../products/product.sort.ts';
import { markFormula } from './csv.formulas.ts';
import { CSV, NDJSON } from './import.reader.ts';

interface ExportUseCaseOptions {
  findPage: ProductRepository['findPage'];
  money: Money;
}

/** Products per statement and per chunk of the file. With the longest texts they take 4 MB while a client reads slowly. */
const PAGE = 100;

const { sku: _, ...others } = FIELD_COLUMNS;
const COLUMNS = ['sku', ...Object.keys(others)] as (keyof typeof FIELD_COLUMNS)[];
/** The names of the columns, in this order. `import` reads them back. */
const HEADERS = COLUMNS.map((column) => (column === 'price_minor' ? 'price' : column));

type Cell = string | number | null;

/** Writes the catalogue as a file. */
export function createExportUseCases({ findPage, money }: ExportUseCaseOptions) {
  const toRow = (product: Product): Cell[] =>
    COLUMNS.map((column) =>
      column === 'price_minor' ? money.toMajor(product.price_minor) : product[column],
    );
  const toJson = (product: Product): string =>
    JSON.stringify(Object.fromEntries(toRow(product).map((cell, i) => [HEADERS[i], cell])));

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
    yield `${HEADERS.join(',')}\n`;
    for await (const products of pages(filter))
      yield products.map((product) => toCsvRow(toRow(product))).join('');
  }

  async function* toNdjson(filter: Omit<ExportQuery, 'format'>) {
    for await (const products of pages(filter))
      yield products.map((product) => `${toJson(product)}\n`).join('');
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

const toCell = (value: Cell): string => {
  const text = typeof value === 'string' ? markFormula(value) : String(value ?? '');
  return MUST_BE_QUOTED.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};
const toCsvRow = (cells: Cell[]): string => `${cells.map(toCell).join(',')}\n`;
