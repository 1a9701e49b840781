import type { Query } from '@shop/service-kit/postgres/query';

/** The same database, with `around` called for each statement. */
const watched =
  (query: Query, around: (run: () => Promise<unknown>) => Promise<unknown>): Query =>
  async <Rows>(...statement: Parameters<Query>) =>
    (await around(() => query(...statement))) as Rows;

/** A database that counts its statements. */
export function createCountedDatabase() {
  let statements = 0;
  return {
    wrap: (query: Query) =>
      watched(query, (run) => {
        statements += 1;
        return run();
      }),
    count: () => statements,
  };
}

/** A database whose rows can be delayed, so that they may be outdated when they arrive. */
export function createSlowDatabase() {
  const held = signal();
  const released = signal();
  return {
    wrap: (query: Query) =>
      watched(query, async (run) => {
        const rows = await run();
        held.give();
        await released.given;
        return rows;
      }),
    /** Resolves when a statement has run and its rows are held back. */
    held: held.given,
    /** Releases all held rows. */
    release: () => released.give(),
  };
}

/** A promise that a test resolves. */
export function signal() {
  let give = () => {};
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give: () => give() };
}

export interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  Plans?: PlanNode[];
}

/** A database that records the plans of its statements. */
export function createExplainedDatabase() {
  let nodes: PlanNode[] = [];
  return {
    wrap:
      (query: Query): Query =>
      async <Rows>(strings: readonly string[], ...values: unknown[]) => {
        if (!strings[0]?.startsWith('EXPLAIN')) {
          const rows = await query<
            [{ 'QUERY PLAN': [{ Plan: PlanNode }] }]
          >`EXPLAIN (ANALYZE, FORMAT JSON) ${{ strings, values }}`;
          nodes.push(...nodesOf(rows[0]['QUERY PLAN'][0].Plan));
        }
        return query<Rows>(strings, ...values);
      },
    /** The steps of all statements since the last call. */
    take(): PlanNode[] {
      const taken = nodes;
      nodes = [];
      return taken;
    },
  };
}

const nodesOf = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];
