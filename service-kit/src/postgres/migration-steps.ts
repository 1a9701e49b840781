import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * `transaction`: a script, all of it or nothing. `alone`: one statement outside a transaction, which can be repeated, such
 * as `CREATE INDEX CONCURRENTLY IF NOT EXISTS`. `batches`: one statement, repeated until it changes no row, each time in a
 * transaction of its own.
 */
export interface Step {
  kind: 'transaction' | 'alone' | 'batches';
  sql: string;
}

export interface Migration {
  name: string;
  /** SHA-256 of the file in hex, as Prisma Migrate writes it. */
  checksum: string;
  steps: Step[];
  /** Releases that have the migration of this name run on the new schema too. */
  compatibleWith: string | undefined;
  /** Removes what the migration of this name replaced and older processes still use: left to the next call. */
  contracts: string | undefined;
}

/** Such as `-- migrate: batches`, on a line of its own. */
const MARKER = /^-- migrate: (transaction|alone|batches|(compatible with|contracts) (\S+))$/gm;

/**
 * The migrations of a `prisma` folder, the oldest first. Without a marker, a file is one transaction. A marker begins
 * the next step; `-- migrate: compatible with <migration>` and `contracts <migration>` are about the whole file.
 */
export async function readMigrations(prismaFolder: string): Promise<Migration[]> {
  const folder = join(prismaFolder, 'migrations');
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort();
  return Promise.all(
    names.map(async (name) => {
      const file = await readFile(join(folder, name, 'migration.sql'));
      return { name, checksum: createHash('sha256').update(file).digest('hex'), ...parse(String(file)) };
    }),
  );
}

function parse(file: string): Omit<Migration, 'name' | 'checksum'> {
  const steps: Step[] = [];
  const named = new Map<string, string>();
  let kind: Step['kind'] = 'transaction';
  let begin = 0;
  const end = (index: number) => {
    const sql = file.slice(begin, index);
    if (/^\s*(?!--)\S/m.test(sql)) steps.push({ kind, sql });
  };
  for (const { 0: marker, 1: what = '', 2: relation = '', 3: name, index } of file.matchAll(MARKER)) {
    if (name === undefined) {
      end(index);
      kind = what as Step['kind'];
      begin = index + marker.length;
    } else {
      named.set(relation, name);
    }
  }
  end(file.length);
  return { steps, compatibleWith: named.get('compatible with'), contracts: named.get('contracts') };
}
