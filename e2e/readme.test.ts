import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Stack, startStack } from './support/stack.ts';

const run = promisify(execFile);
const README = new URL('../README.md', import.meta.url);
const SEED = new URL('../scripts/run.js', import.meta.url).pathname;
/** Command blocks between this mark and the next heading are run. */
const MARK = '<!-- tested:';

async function testedBlocks(): Promise<string[]> {
  const readme = await readFile(README, 'utf8');
  const chapter = readme.slice(readme.indexOf(MARK)).split('\n## ')[0] ?? '';
  return [...chapter.matchAll(/^```bash\n([\s\S]*?)^```/gm)].map(([, code = '']) => code);
}

/** An error status of curl fails the script. */
const STRICT = 'set -euo pipefail; curl() { command curl -sS --fail-with-body "$@"; }\n';

let stack: Stack;
beforeEach(async () => {
  stack = await startStack();
});
afterEach(() => stack.close());

async function runBlocks(): Promise<string> {
  const addresses: [RegExp, string][] = [
    [/localhost:5001/g, stack.user.url],
    [/localhost:5002/g, stack.product.url],
    [/localhost:5003/g, stack.order.url],
  ];
  const blocks = await testedBlocks();
  expect(blocks.length).toBeGreaterThanOrEqual(3);
  const script = addresses.reduce((text, [from, to]) => text.replaceAll(from, to), blocks.join('\n'));
  const { stdout } = await run('bash', ['-c', STRICT + script]);
  return stdout;
}

describe('the commands of the README', () => {
  test('work in order on a new shop', async () => {
    const output = await runBlocks();
    expect(output).toContain('User registered successfully');
    expect(output).toContain('Stock updated successfully');
    expect(output).toContain('"total_orders":1');
    expect(output).toContain('Order cancelled successfully');
  });

  test('work on a seeded shop', async () => {
    const env = {
      ...process.env,
      USER_SERVICE_URL: stack.user.url,
      PRODUCT_SERVICE_URL: stack.product.url,
      ORDER_SERVICE_URL: stack.order.url,
    };
    await run(process.execPath, [SEED, 'examples/demo/seed.command.ts'], { env });
    expect(await runBlocks()).toContain('Order cancelled successfully');
  });
});
