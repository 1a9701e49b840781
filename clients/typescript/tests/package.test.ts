import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Stack, startStack } from '../../../e2e/support/stack.ts';
import { type Site, startSite } from './support/browser.ts';
import { urlsOf } from './support/clients.ts';

const run = promisify(execFile);
const CLIENT = join(import.meta.dirname, '..');
const PROGRAM = join(import.meta.dirname, 'consumer', 'program.ts');
const REFUSED = join(import.meta.dirname, 'consumer', 'refused.ts');
/** Both compilers that read the types: that of the repository, and the one before it. */
const COMPILERS = [join(CLIENT, '..', '..'), CLIENT].map((folder) =>
  join(folder, 'node_modules', 'typescript', 'bin', 'tsc'),
);
const OPTIONS = {
  compilerOptions: {
    target: 'es2023',
    lib: ['es2023', 'dom', 'dom.asynciterable'],
    module: 'nodenext',
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    outDir: 'out',
  },
  include: ['program.ts', 'refused.ts', 'readme.ts'],
};

let stack: Stack;
let project: string;
let installed: string;
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'shop-consumer-'));
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', project], { cwd: CLIENT });
  const [{ filename = '' } = {}] = JSON.parse(stdout) as { filename: string }[];
  await writeFile(
    join(project, 'package.json'),
    JSON.stringify({ name: 'consumer', type: 'module', private: true }),
  );
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', `./${filename}`], { cwd: project });
  await cp(PROGRAM, join(project, 'program.ts'));
  await cp(REFUSED, join(project, 'refused.ts'));
  await writeFile(join(project, 'readme.ts'), await readmeCode());
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify(OPTIONS));
  installed = join(project, 'node_modules', '@shop', 'client');
  stack = await startStack();
});
afterAll(async () => {
  await stack?.close();
  await rm(project, { recursive: true });
});

describe('the packed client', () => {
  test('is small, has no dependencies, and contains only code and types', async () => {
    const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'));
    expect(manifest.dependencies).toBeUndefined();
    const files = await readdir(join(installed, 'dist'));
    expect(files.filter((name) => !/\.(js|d\.ts)$/.test(name))).toEqual([]);
    const code = files.filter((name) => name.endsWith('.js'));
    const texts = await Promise.all(code.map((name) => readFile(join(installed, 'dist', name), 'utf8')));
    const size = gzipSync(texts.join('\n')).length;
    console.log(`${size} bytes gzipped, neither bundled nor minified`);
    expect(size).toBeLessThan(8_000);
  });

  test('has a runtime that is written by hand in at most 400 lines', async () => {
    // JavaScript without types and comments; what is generated from the API document does not count.
    const files = (await readdir(join(installed, 'dist'))).filter((name) => /^(?!api\.).*\.js$/.test(name));
    const texts = await Promise.all(files.map((name) => readFile(join(installed, 'dist', name), 'utf8')));
    const lines = texts.flatMap((text) => text.replaceAll(/\/\*\*[\s\S]*?\*\//g, '').split('\n'));
    const code = lines.filter((line) => !/^\s*(\/\/.*)?$/.test(line));
    console.log(`${code.length} lines written by hand`);
    expect(code.length).toBeLessThanOrEqual(400);
  });

  test.each(COMPILERS)(
    'compiles a program of 30 lines without a cast, and the READMEs, under strict: %s',
    async (compiler) => {
      const text = await readFile(PROGRAM, 'utf8');
      expect(text.split('\n').filter((line) => line.trim() !== '').length).toBeLessThanOrEqual(30);
      expect(text).not.toMatch(/\b(as|any|unknown|never)\b|@ts-|\w!/);
      await run(process.execPath, [compiler, '-p', '.'], { cwd: project }).catch(({ stdout }) => {
        throw new Error(stdout);
      });
    },
  );
});

describe('the program', () => {
  const saidBy = (name: string) => [
    `hello ${name}`,
    `found Lamp of ${name}`,
    'ordered for $79.80, once',
    'wanted 2, there are 1',
    'cancelled',
  ];

  /** Tries again as another user if a service on a busy machine did not reach its database in time. */
  async function patiently<T>(run: (name: string) => Promise<T>, name: string): Promise<[T, string]> {
    for (let count = 1; ; count++) {
      const unique = `${name}_${count}`;
      try {
        return [await run(unique), unique];
      } catch (error) {
        if (!String(error).includes('cannot reach its database')) throw error;
      }
    }
  }

  test('runs in plain Node', async () => {
    const script = `import { program } from './out/program.js';
      console.log(JSON.stringify(await program(${JSON.stringify(urlsOf(stack))}, process.argv[2])));`;
    await writeFile(join(project, 'main.js'), script);
    const [{ stdout }, name] = await patiently(
      (who) => run(process.execPath, ['main.js', who], { cwd: project }),
      'node',
    );
    expect(JSON.parse(stdout)).toEqual(saidBy(name));
  });

  describe('in a browser', () => {
    let site: Site;
    beforeAll(async () => {
      site = await startSite(project);
    });
    afterAll(() => site?.close());

    test('runs as it is, without a bundler', async () => {
      const page = await site.open();
      const call = (who: string) =>
        `import('/out/program.js').then(({ program }) => program(${JSON.stringify(urlsOf(stack))}, '${who}'))`;
      const [said, name] = await patiently((who) => page.evaluate(call(who)), 'browser');
      expect(said).toEqual(saidBy(name));
    });

    test('two tabs that find an expired token at once exchange it once', async () => {
      const tabs = [await site.open(), await site.open()];
      const open = `import('@shop/client').then(({ createShop, localStorageTokens }) => {
        globalThis.shop = createShop({ ...${JSON.stringify(urlsOf(stack))}, tokens: localStorageTokens(), timeoutMs: 100_000 });
      })`;
      for (const tab of tabs) await tab.evaluate(open);
      const account = { username: 'tabs', email: 'tabs@example.com', password: 'securepass123' };
      await tabs[0]?.evaluate(`shop.session.register(${JSON.stringify(account)})`);
      await tabs[0]?.evaluate(`{
        const tokens = JSON.parse(localStorage.getItem('shop.tokens'));
        localStorage.setItem('shop.tokens', JSON.stringify({ ...tokens, access_token: 'expired' }));
      }`);
      const calls = 'Promise.all([shop.session.me(), shop.orders.stats(), shop.session.me()])';
      const responses = await Promise.all(tabs.map((tab) => tab.evaluate(calls)));
      for (const result of responses)
        expect(result).toMatchObject([{ username: 'tabs' }, { total_orders: 0 }, {}]);
      expect(site.responses).toContain('GET /api/users/me 401');
      expect(site.responses.filter((response) => response === 'POST /api/users/refresh 200')).toHaveLength(1);
    });
  });
});

/** The TypeScript of both READMEs: each block a function of its own, after the imports. */
async function readmeCode(): Promise<string> {
  const pages = [join(CLIENT, 'README.md'), join(CLIENT, '..', '..', 'README.md')];
  const text = (await Promise.all(pages.map((page) => readFile(page, 'utf8')))).join('\n');
  const blocks = [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code = '']) => code);
  const bodies = blocks.map((block, n) => {
    const body = block.replace(/^import .*\n/gm, '');
    const shop = /const shop =/.test(body) ? '' : 'shop: Shop, ';
    const file = /import\(file\)/.test(body) ? 'file: File, ' : '';
    return `export async function block${n}(${shop}${file}) {\n${body}\n}\n`;
  });
  const names =
    'createShop, etagOf, formatMoney, localStorageTokens, newIdempotencyKey, ShopError, type Shop';
  return `import { ${names} } from '@shop/client';\n${bodies.join('\n')}`;
}
