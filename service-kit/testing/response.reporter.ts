import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Written by documented.ts: one line for each operation and status of each test file. */
const SEEN = join(ROOT, 'coverage', 'seen-responses.txt');
const TABLE = join(ROOT, 'coverage', 'responses.txt');
const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

interface Document {
  paths: Record<string, Record<string, { responses: object }>>;
}

interface Run {
  testPathPatterns: { patterns: string[] };
  testNamePattern?: string;
  onlyChanged: boolean;
}

interface Results {
  numPassedTests: number;
  numFailedTests: number;
  /** Test files that cannot run. */
  numRuntimeErrorTestSuites: number;
}

/**
 * After all tests: which documented statuses of which operations occurred, as a table in coverage/responses.txt. A complete run
 * whose tests passed fails for one that never did. The last line is `N passed, N failed`, which CI reads.
 */
export class Reporter {
  #isComplete: boolean;
  #projects: number;
  #error: Error | undefined;

  /** @param options how many workspaces a complete run has */
  constructor({ testPathPatterns, testNamePattern, onlyChanged }: Run, { projects }: { projects: number }) {
    this.#isComplete = testPathPatterns.patterns.length === 0 && !testNamePattern && !onlyChanged;
    this.#projects = projects;
  }

  async onRunStart() {
    await rm(SEEN, { force: true });
  }

  /** Jest fails the run when there is one. */
  getLastError() {
    return this.#error;
  }

  async onRunComplete(contexts: Set<unknown>, results: Results) {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    if (this.#isComplete && contexts.size >= this.#projects) await this.#reportResponses(failed);
    console.log(`${results.numPassedTests} passed, ${failed} failed`);
  }

  async #reportResponses(failed: number) {
    const rows = await responses();
    await mkdir(join(ROOT, 'coverage'), { recursive: true });
    await writeFile(TABLE, tableOf(rows));
    const missing = rows.flatMap(({ name, statuses }) =>
      statuses.filter(({ seen }) => !seen).map(({ status }) => `${name} ${status}`),
    );
    const all = rows.reduce((sum, { statuses }) => sum + statuses.length, 0);
    console.log(`${all - missing.length} of ${all} documented responses occurred (coverage/responses.txt)`);
    for (const response of missing) console.log(`No test got ${response}`);
    // A test that failed may be the one that gets it.
    if (missing.length > 0 && failed === 0)
      this.#error = new Error(`No test got ${missing.length} of the documented responses`);
  }
}

/** Every documented status but `default`, by operation, and whether a test got it. */
async function responses() {
  const seen = new Set((await readFile(SEEN, 'utf8')).split('\n'));
  const document: Document = JSON.parse(await readFile(join(ROOT, 'docs', 'openapi.json'), 'utf8'));
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => method in item).map((method) => {
      const name = `${method.toUpperCase()} ${path}`;
      const statuses = Object.keys(item[method]?.responses ?? {})
        .filter((status) => status !== 'default')
        .map((status) => ({ status, seen: seen.has(`${name} ${status}`) }));
      return { name, statuses };
    }),
  );
}

function tableOf(rows: Awaited<ReturnType<typeof responses>>) {
  const columns = [...new Set(rows.flatMap(({ statuses }) => statuses.map(({ status }) => status)))].sort();
  const cell = ({ statuses }: (typeof rows)[number], column: string) => {
    const found = statuses.find(({ status }) => status === column);
    return found === undefined ? '' : found.seen ? '✓' : 'never';
  };
  const lines = rows.map(
    (row) => `| ${row.name} | ${columns.map((column) => cell(row, column)).join(' | ')} |`,
  );
  return [
    `| Operation | ${columns.join(' | ')} |`,
    `|---|${columns.map(() => '---|').join('')}`,
    ...lines,
    '',
  ].join('\n');
}
