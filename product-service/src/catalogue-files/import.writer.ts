import { setTimeout as sleep } from 'node:timers/promises';
import {
  isDatabaseUnavailable,
  isStatementTimeout,
  wasNotDone,
} from '@shop/service-kit/postgres/database-errors';
import type { Importer, ImportRepository, WrittenRow } from './import.repository.ts';
import type { ImportedFields } from './import.rows.ts';

/** Writes rows to the catalogue, or only returns their would-be outcomes. */
export type Write = (rows: ImportedFields[]) => Promise<WrittenRow[]>;

/** Pauses before a statement that a busy database gave up is repeated, in milliseconds. */
const PAUSES = [100, 500, 2000];

/** @throws the database's error if it stays busy or is gone; the rows before this batch are written then */
export function createWriter(imports: ImportRepository, importer: Importer): Write {
  const upsert = (rows: ImportedFields[]): Promise<WrittenRow[]> =>
    patiently(() => imports.upsert(rows, importer)).catch((error: unknown) => {
      if (!isStatementTimeout(error) || rows.length === 1) throw error;
      return inHalves(rows, upsert);
    });
  return async (rows) => {
    const written = await upsert(rows);
    const again = rows.filter((_row, i) => written[i]?.outcome === 'retry');
    if (again.length === 0) return written;
    // Products that other transactions have just created are found now.
    const rewritten = await upsert(again);
    return written.map((row) => (row.outcome === 'retry' ? (rewritten.shift() ?? row) : row));
  };
}

/** Returns the outcomes that a writer would, and writes nothing. */
export function createRehearsal(imports: ImportRepository, importer: Importer): Write {
  return (rows) => patiently(() => imports.preview(rows, importer), isDatabaseUnavailable);
}

const wasSurelyNotDone = (error: unknown) => wasNotDone(error) && !isStatementTimeout(error);

/** @param mayRepeat whether the statement may be sent again after this error; reads always may */
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

/** True for a statement that took longer than the usual time limit. */
async function inHalves(rows: ImportedFields[], write: Write): Promise<WrittenRow[]> {
  const middle = Math.ceil(rows.length / 2);
  return [...(await write(rows.slice(0, middle))), ...(await write(rows.slice(middle)))];
}
