import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import { onConnection, type Send } from './connection.ts';

/** A piece of SQL with its values, such as `sql` and `Prisma.sql` make, to be put into a larger statement. */
export interface Fragment {
  readonly strings: readonly string[];
  readonly values: readonly unknown[];
}

/** A fragment as a tagged template: `sql\`id = ${id}\``. */
export const sql = (strings: readonly string[], ...values: unknown[]): Fragment => ({ strings, values });

/**
 * Runs a statement that is written as a tagged template: `query<Row[]>\`SELECT … WHERE id = ${id}\``. Values are sent
 * separately from the text, and Postgres plans each text once per connection. BIGINT and NUMERIC columns come back as text,
 * everything else as `pg` maps it.
 */
export type Query = <Rows = unknown[]>(strings: readonly string[], ...values: unknown[]) => Promise<Rows>;

/** Runs statements on one connection: committed when the work resolves, rolled back when it rejects. */
export type Transaction = <T>(work: (query: Query) => Promise<T>) => Promise<T>;

/** @param prepared false: see `PoolOptions` */
export function createTransaction(pool: Pool, prepared = true): Transaction {
  return (work) =>
    onConnection(pool, true, async (send) => {
      await send({ text: 'BEGIN' });
      const result = await work(queryBy(send, prepared));
      await send({ text: 'COMMIT' });
      return result;
    });
}

/**
 * @param prepared false: each statement is planned for the values of its call and not kept: for statements of many forms whose
 * best plan depends on the values. From the sixth call on, Postgres may plan a prepared statement without regard to its values
 */
export function createQuery(pool: Pool, prepared = true): Query {
  return queryBy((statement) => onConnection(pool, false, (send) => send(statement)), prepared);
}

function queryBy(send: Send, prepared: boolean): Query {
  return async <Rows>(strings: readonly string[], ...values: unknown[]): Promise<Rows> => {
    const statement = toStatement(strings, values);
    const { rows } = await send(prepared ? { name: nameOf(statement.text), ...statement } : statement);
    return rows as Rows;
  };
}

function toStatement(strings: readonly string[], values: readonly unknown[]): Statement {
  const statement: Statement = { text: '', values: [] };
  append(statement, strings, values);
  return statement;
}

interface Statement {
  text: string;
  values: unknown[];
}

function append(statement: Statement, strings: readonly string[], values: readonly unknown[]): void {
  strings.forEach((text, i) => {
    statement.text += text;
    if (i >= values.length) return;
    const value = values[i];
    if (isFragment(value)) append(statement, value.strings, value.values);
    else statement.text += `$${statement.values.push(value)}`;
  });
}

const isFragment = (value: unknown): value is Fragment =>
  typeof value === 'object' && value !== null && 'strings' in value && 'values' in value;

/** Names by text, as many as there are statements in the code. Postgres truncates names to 63 bytes. */
const names = new Map<string, string>();

function nameOf(text: string): string {
  const known = names.get(text);
  if (known !== undefined) return known;
  const name = createHash('sha1').update(text).digest('hex');
  names.set(text, name);
  return name;
}
