import { setImmediate as otherWork } from 'node:timers/promises';
import { Forbidden } from '@shop/service-kit/errors/http-errors';
import type { BodyStream } from '@shop/service-kit/http/body-stream';
import type { Caller } from '@shop/service-kit/http/define-route';
import { fieldIssuesOf } from '@shop/service-kit/http/field-issues';
import type { User } from '@shop/service-kit/http/request-context';
import type { ProductSchemas } from '../products/product.schemas.ts';
import { createFileReader, type FileRow } from './import.reader.ts';
import type { ImportRepository, WrittenRow } from './import.repository.ts';
import { BATCH_SIZE, type BatchRow, createBatch, createTally, type Tally } from './import.rows.ts';
import { createImportSlots } from './import.slots.ts';
import { createRehearsal, createWriter, type Write } from './import.writer.ts';

interface ImportUseCaseOptions {
  imports: ImportRepository;
  schemas: ProductSchemas;
  /** Called with the products that were made or changed, and the categories they had and have, after each commit. */
  catalogueChanged: (productIds: number[], categories: string[]) => Promise<void>;
  /** Who may create products. */
  creation: 'open' | 'admin';
}

interface ImportRequest {
  file: BodyStream;
  /** Everything is checked and nothing written. */
  isDryRun: boolean;
  user: User;
  log: Caller['log'];
}

const REFUSALS = {
  foreign: 'This SKU is that of another seller’s product',
  retry: 'Others have changed this product at the same moment; import the row again',
};

/** Files into the catalogue, batch by batch. Each is committed for itself: what was written before a failure stays. */
export function createImportUseCases({ imports, schemas, catalogueChanged, creation }: ImportUseCaseOptions) {
  const slots = createImportSlots();

  const readRows = async (file: BodyStream, write: Write, tally: Tally): Promise<void> => {
    const reader = createFileReader(file.mediaType);
    const batch = createBatch();
    let rows = 0;
    const check = (row: FileRow) => {
      if ('problem' in row) return tally.fail(row.line, row.problem);
      const checked = schemas.replaceBody.safeParse(row.fields, { reportInput: true });
      if (checked.success) return batch.add(row.line, checked.data);
      return tally.fail(
        row.line,
        fieldIssuesOf(checked.error)
          .map(({ message }) => message)
          .join('; '),
      );
    };
    const flush = async () => {
      const taken = batch.take();
      const written = await write(taken.map(({ fields }) => fields));
      const changed = written.flatMap(({ product_id }) => product_id ?? []);
      const categories = new Set(written.flatMap((row) => row.categories ?? []));
      if (changed.length > 0) await catalogueChanged(changed, [...categories]);
      for (const [i, row] of taken.entries()) settle(tally, row, written[i]);
    };
    const take = async (found: Iterable<FileRow>) => {
      for (const row of found) {
        check(row);
        rows += 1;
        if (batch.isFull()) await flush();
        // Also while all rows are refused, requests are answered in between.
        else if (rows % BATCH_SIZE === 0) await otherWork();
      }
    };
    for await (const chunk of file.bytes) await take(reader.take(chunk));
    await take(reader.end());
    await flush();
  };

  return {
    /** @throws Forbidden where only admins sell, UnreadableFile, ImportRunning, Unavailable; and what the body stream throws */
    async importProducts({ file, isDryRun, user, log }: ImportRequest) {
      if (creation === 'admin' && user.role !== 'admin') throw new Forbidden();
      const importer = { userId: user.id, isAdmin: user.role === 'admin' };
      const write = isDryRun ? createRehearsal(imports, importer) : createWriter(imports, importer);
      return slots.use(user.id, async () => {
        const tally = createTally();
        const outcome = () => ({ ...tally.counts, dry_run: isDryRun });
        try {
          await readRows(file, write, tally);
        } catch (error) {
          log.info({ ...outcome(), reason: (error as Error).message }, 'import broke off');
          throw error;
        }
        log.info(outcome(), 'import');
        return tally.answer();
      });
    },
  };
}

export type ImportUseCases = ReturnType<typeof createImportUseCases>;

function settle(tally: Tally, { lines }: BatchRow, written: WrittenRow | undefined): void {
  const outcome = written?.outcome ?? 'retry';
  if (outcome === 'created' || outcome === 'updated') tally.succeed(lines, outcome === 'created');
  else for (const line of lines) tally.fail(line, REFUSALS[outcome]);
}
