import type { PoolClient } from 'pg';
import { currentSpan } from '../tracing/span.ts';

type Run = (statement: unknown, ...rest: unknown[]) => unknown;
type Callback = (error: unknown, result?: { rowCount?: number | null }) => void;

/** Makes each statement that is sent within a recorded trace a span of it. Its text has no values: they are parameters. */
export function traceStatements(client: PoolClient): void {
  const run = client.query.bind(client) as Run;
  // Missing in the types of `pg`.
  const { database } = client as PoolClient & { database?: string };
  const traced: Run = (statement, ...rest) => {
    const parent = currentSpan();
    const text = typeof statement === 'string' ? statement : (statement as { text?: string }).text;
    if (!parent?.isRecorded || text === undefined) return run(statement, ...rest);
    const span = parent.start(nameOfStatement(text), 'client', {
      'db.system.name': 'postgresql',
      'db.namespace': database,
      'db.query.text': text.replaceAll(/\s+/g, ' ').trim(),
    });
    const end = (error: unknown, rows?: number | null) => {
      span.end(typeof rows === 'number' ? { 'db.response.returned_rows': rows } : {}, error ?? undefined);
    };
    const at = rest.findIndex((value) => typeof value === 'function');
    if (at === -1) {
      const result = run(statement, ...rest) as Promise<{ rowCount?: number | null }>;
      result.then(
        ({ rowCount }) => end(undefined, rowCount),
        (error: unknown) => end(error),
      );
      return result;
    }
    const callback = rest[at] as Callback;
    const ended: Callback = (error, result) => {
      end(error, result?.rowCount);
      callback(error, result);
    };
    return run(statement, ...rest.with(at, ended));
  };
  client.query = traced as typeof client.query;
}

const WRITE =
  /\b(?:(INSERT)\s+INTO|(DELETE)\s+FROM|(UPDATE)(?!\s+(?:SET|SKIP|NOWAIT|OF)\b))\s+(?:"?\w+"?\.)?"?(\w+)/i;
const READ = /\bFROM\s+(?:"?\w+"?\.)?"?(\w+)/i;

/** What a statement does to which table: the first that it writes to, else the first that it reads. */
export function nameOfStatement(text: string): string {
  const [written, inserted, deleted, updated, table] = WRITE.exec(text) ?? [];
  if (written !== undefined) return `${(inserted ?? deleted ?? updated ?? '').toUpperCase()} ${table}`;
  const [, read] = READ.exec(text) ?? [];
  const [word = ''] = /\w+/.exec(text) ?? [];
  return read === undefined ? word.toUpperCase() : `SELECT ${read}`;
}
