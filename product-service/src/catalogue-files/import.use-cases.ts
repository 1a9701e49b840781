import { Forbidden } from '@shop/service-kit/errors/http-errors';
import type { BodyStream } from '@shop/service-kit/http/body-stream';
import type { Caller } from '@shop/service-kit/http/define-route';
import type { User } from '@shop/service-kit/http/principal';
import { toAppError } from '@shop/service-kit/http/problem';
import type { ProductSchemas } from '../products/product.schemas.ts';
import type { FileRow } from './file.rows.ts';
import { createSpending, type ImportBudget } from './import.budget.ts';
import { createRowCheck } from './import.check.ts';
import { withOutcome } from './import.errors.ts';
import { createFileReader } from './import.reader.ts';
import type { ImportRepository, WrittenRow } from './import.repository.ts';
import { type BatchRow, createBatch, createTally, missingIn, type Tally } from './import.rows.ts';
import type { ImportQuery } from './import.schemas.ts';
import { createImportSlots } from './import.slots.ts';
import { createRehearsal, createWriter, type Write } from './import.writer.ts';

interface ImportUseCaseOptions {
  imports: ImportRepository;
  schemas: ProductSchemas;
  /** Called after each commit with the products that were created or changed, and their categories before and after. */
  catalogueChanged: (productIds: number[], categories: string[]) => Promise<void>;
  /** Who may create products. */
  creation: 'open' | 'admin';
  budget: ImportBudget;
}

interface ImportRequest {
  /** Opens the file; called when the import may begin. */
  file: () => BodyStream | Promise<BodyStream>;
  /** With `dry_run` everything is checked and nothing written. */
  options: ImportQuery;
  user: User;
  log: Caller['log'];
}

/** Rows of one import from which on the planner's statistics are updated. */
const MANY_ROWS = 1000;

const REFUSALS = {
  foreign: 'Another seller already uses this SKU',
  retry: 'Another request changed this product at the same time; import the row again',
  rounded: 'A spreadsheet has rounded this SKU; format its column as text',
};

/** Imports files batch by batch. Each batch is its own transaction: rows written before a failure stay. */
export function createImportUseCases({
  imports,
  schemas,
  catalogueChanged,
  creation,
  budget,
}: ImportUseCaseOptions) {
  const slots = createImportSlots();

  const readRows = async (file: BodyStream, options: ImportQuery, write: Write, tally: Tally) => {
    const reader = createFileReader(file.mediaType);
    const check = createRowCheck(schemas, options);
    const spending = createSpending(budget);
    const batch = createBatch();

    const add = (row: FileRow) => {
      if ('isBlank' in row) return;
      const checked = check(row);
      if ('problem' in checked) tally.fail(row.line, checked.problem);
      else batch.add({ line: row.line, fields: checked.fields }, row.size);
    };
    const flush = async () => {
      const taken = batch.take();
      if (taken.length === 0) return;
      const written = await write(taken.map(({ fields }) => fields));
      const changed = written.flatMap(({ product_id }) => product_id ?? []);
      const categories = new Set(written.flatMap((row) => row.categories ?? []));
      if (changed.length > 0) await catalogueChanged(changed, [...categories]);
      for (const [i, row] of taken.entries()) settle(tally, row, written[i]);
    };
    const take = async (found: Iterable<FileRow>) => {
      for (const row of found) {
        spending.takeRow(tally.counts.failed);
        add(row);
        if (batch.isFull()) await flush();
        if (batch.isEmpty()) tally.settledTo(row.line);
        if (!spending.isTimeForOthers()) continue;
        await slots.turn();
        spending.beginSlice();
      }
    };
    for await (const chunk of file.bytes) await take(reader.take(chunk));
    await take(reader.end());
    await flush();
  };

  /** The planner would choose the wrong way with those of before. Where this fails, autovacuum does the same later. */
  const refreshStatistics = async ({ counts }: Tally, { dry_run }: ImportQuery, log: Caller['log']) => {
    if (dry_run || counts.created + counts.updated < MANY_ROWS) return;
    await imports
      .refreshStatistics()
      .catch((error: unknown) => log.warn({ err: error }, 'no new statistics'));
  };

  return {
    /**
     * @throws Forbidden where only admins may sell, ImportRunning, Unavailable; and, with the counts up to then:
     * UnreadableFile, BodyTooLarge, TooManyFailures, RequestTimedOut, and the errors of the body stream
     */
    async importProducts({ file, options, user, log }: ImportRequest) {
      if (creation === 'admin' && user.role !== 'admin') throw new Forbidden();
      const importer = {
        userId: user.id,
        isAdmin: user.role === 'admin',
        setsStock: options.stock === 'set',
      };
      const write = options.dry_run ? createRehearsal(imports, importer) : createWriter(imports, importer);
      return slots.use(user.id, async () => {
        const tally = createTally();
        const outcome = () => ({ ...tally.counts, dry_run: options.dry_run });
        try {
          await readRows(await file(), options, write, tally);
        } catch (error) {
          await refreshStatistics(tally, options, log);
          log.info({ ...outcome(), reason: (error as Error).message }, 'import broke off');
          const expected = toAppError(error);
          if (expected === undefined) throw error;
          throw withOutcome(expected, { ...tally.response(), last_line: tally.lastLine() });
        }
        await refreshStatistics(tally, options, log);
        log.info(outcome(), 'import');
        return tally.response();
      });
    },
  };
}

export type ImportUseCases = ReturnType<typeof createImportUseCases>;

function settle(tally: Tally, { line, fields }: BatchRow, written: WrittenRow | undefined): void {
  const { outcome, kept_stock } = written ?? { outcome: 'retry', kept_stock: false };
  if (outcome === 'created' || outcome === 'updated' || outcome === 'unchanged')
    tally.succeed(outcome, kept_stock);
  else if (outcome === 'incomplete')
    tally.fail(line, `${missingIn({ ...fields, price: fields.price_minor })}: no product has this SKU`);
  else tally.fail(line, REFUSALS[outcome]);
}
