import { setTimeout as sleep } from 'node:timers/promises';
import { isDatabaseUnavailable, sqlStateOf, wasNotDone } from '@shop/service-kit/postgres/database-errors';
import type { Importer, ImportRepository, WrittenRow } from './import.repository.ts';
import type { ImportedFields } from './import.rows.ts';

/** Puts rows into the catalogue, or only says what would become of them. */
export type Write = (rows: ImportedFields[]) => Promise<WrittenRow[]>;

/** Before what a busy database gave up is tried again, in milliseconds: an import is worth a wait. */
const PAUSES = [100, 500, 2000];
const QUERY_CANCELED = '57014';

/** @throws what the database says when it stays busy, or is gone: the rows before this batch are written then */
export function createWriter(imports: ImportRepository, importer: Importer): Write {
  const upsert = (rows: ImportedFields[]): Promise<WrittenRow[]> =>
    patiently(() => imports.upsert(rows, importer)).catch((error: unknown) => {
      if (sqlStateOf(error) !== QUERY_CANCELED || rows.length === 1) throw error;
      return inHalves(rows, upsert);
    });
  return async (rows) => {
    const written = await upsert(rows);
    const again = rows.filter((_row, i) => written[i]?.outcome === 'retry');
    if (again.length === 0) return written;
    // The products that others have just created are found now.
    const rewritten = await upsert(again);
    return written.map((row) => (row.outcome === 'retry' ? (rewritten.shift() ?? row) : row));
  };
}

/** Says of each row what a writer would, and writes nothing. */
export function createRehearsal(imports: ImportRepository, importer: Importer): Write {
  return (rows) => patiently(() => imports.preview(rows, importer), isDatabaseUnavailable);
}

const wasSurelyNotDone = (error: unknown) => wasNotDone(error) && sqlStateOf(error) !== QUERY_CANCELED;

/** @param mayRepeat whether it may be sent again after this error; what only reads may always */
async function patiently<Result>(
  run: () => Promise<Result>,
  mayRepeat: (error: unknown) => boolean = wasSurelyNotDone,
): Promise<Result> {
  for (const pause of PAUSES) {
    try {
      return await run();
    } catch (error) {
      if (!mayRepeat(error)) throw error;
      await sleep(pause);
    }
  }
  return run();
}

/** For a statement that takes longer than the time limit of all statements. */
async function inHalves(rows: ImportedFields[], write: Write): Promise<WrittenRow[]> {
  const middle = Math.ceil(rows.length / 2);
  return [...(await write(rows.slice(0, middle))), ...(await write(rows.slice(middle)))];
}
