import type { PoolClient } from 'pg';
import { currentSpan, type Span } from '../tracing/span.ts';

/** Makes a statement that is sent within a recorded trace a span of it. Its text has no values: they are parameters. */
export function inStatementSpan<Result extends { rowCount: number | null }>(
  client: PoolClient,
  text: string,
  run: () => Promise<Result>,
): Promise<Result> {
  const parent = currentSpan();
  return parent?.isRecorded ? traced(parent, client, text, run) : run();
}

async function traced<Result extends { rowCount: number | null }>(
  parent: Span,
  client: PoolClient,
  text: string,
  run: () => Promise<Result>,
): Promise<Result> {
  // Missing in the types of `pg`.
  const { database } = client as PoolClient & { database?: string };
  const span = parent.start(nameOfStatement(text), 'client', {
    'db.system.name': 'postgresql',
    'db.namespace': database,
    'db.query.text': text.replaceAll(/\s+/g, ' ').trim(),
  });
  try {
    const result = await run();
    span.end(typeof result.rowCount === 'number' ? { 'db.response.returned_rows': result.rowCount } : {});
    return result;
  } catch (error) {
    span.end({}, error);
    throw error;
  }
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
