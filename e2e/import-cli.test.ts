import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { tokenOf } from './support/catalogue.ts';
import { startProcess } from './support/process.ts';
import { type Stack, startStack } from './support/stack.ts';

const ROOT = join(import.meta.dirname, '..');
const fixture = (name: string) => join(import.meta.dirname, 'fixtures', name);

let stack: Stack;
let database: Client;
let folder: string;
beforeAll(async () => {
  stack = await startStack({ only: ['product-service'] });
  database = new Client({ connectionString: stack.product.databaseUrl });
  await database.connect();
  folder = await mkdtemp(join(tmpdir(), 'shop-import-'));
});
afterAll(async () => {
  await database.end();
  await stack.close();
  await rm(folder, { recursive: true });
});
afterEach(async () => {
  await database.query('TRUNCATE products, stock_movements RESTART IDENTITY CASCADE');
});

/** Runs `npm run import`. @returns its output, without the progress lines */
async function runImport(...args: string[]) {
  const env = { SHOP_TOKEN: tokenOf(1), NO_COLOR: '1' };
  const run = ['scripts/run.js', 'clients/import/import.command.ts', ...args, '--url', stack.product.url];
  const command = startProcess('node', run, { cwd: ROOT, env });
  const code = await command.ended();
  const lines = command.output().trim().split('\n');
  return { code, lines: lines.filter((line) => !/^\d+ % /.test(line)), output: command.output() };
}

async function fileOf(name: string, content: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, content);
  return file;
}

async function stored() {
  const { rows } = await database.query(
    'SELECT sku, name, price_minor::int AS price, stock, category, description, image_url FROM products ORDER BY id',
  );
  return rows.map(Object.values);
}

describe('npm run import --from', () => {
  test('shopify creates a product for each variant, and reports refused rows with reasons', async () => {
    const { code, lines } = await runImport(fixture('shopify.csv'), '--from', 'shopify');
    const jumper = ['Jumpers', '<p>Knitted in the north.</p>\n<p>Washes at 30°.</p>'];
    const [first, red] = ['https://cdn.example.com/jumper-1.jpg', 'https://cdn.example.com/jumper-red.jpg'];
    expect(await stored()).toEqual([
      ['JUMP-S-GR', 'Wool jumper – S / Grey', 5900, 4, ...jumper, first],
      ['JUMP-M-GR', 'Wool jumper – M / Grey', 5900, 0, ...jumper, first],
      ['JUMP-M-RD', 'Wool jumper – M / Red', 6250, 7, ...jumper, red],
      ['4006381333931', 'Tea cup, "blue"', 990, 12, 'Cups', '', null],
    ]);
    expect(lines).toEqual([
      'line 8: Name must be at least 3 characters',
      'line 9: This SKU appears earlier in the file',
      '1 rows were skipped, because they are not products: pictures, translations, or sets of variants.',
      '4 created, 0 updated, 0 unchanged, 2 failed.',
    ]);
    expect(code).toBe(1);
  });

  test('woocommerce fills variations from their parent, and parses the decimal comma', async () => {
    const { code, lines } = await runImport(fixture('woocommerce.csv'), '--from', 'woocommerce');
    const shirt = ['Shirts', 'Made of cotton.'];
    const image = (name: string) => `https://shop.example.com/${name}.jpg`;
    expect(await stored()).toEqual([
      ['beanie', 'Beanie', 1850, 20, 'Hats', 'Keeps warm.', image('beanie')],
      ['shirt-vneck-blue', 'V-neck shirt - Blue', 124_900, 3, ...shirt, image('vneck-blue')],
      ['shirt-vneck-red', 'V-neck shirt - Red', 2000, 0, ...shirt, image('vneck')],
      ['album', 'Album', 1500, 0, 'Music', '', null],
    ]);
    expect(lines).toEqual([
      'line 8: Price 1.000 is ambiguous: write 1000, or 1.00',
      'line 9: Price is required: no product has this SKU',
      '2 rows were skipped, because they are not products: pictures, translations, or sets of variants.',
      '4 created, 0 updated, 0 unchanged, 2 failed.',
    ]);
    expect(code).toBe(1);
  });

  test('magento skips translations and sets', async () => {
    const { code, lines } = await runImport(fixture('magento.csv'), '--from', 'magento');
    expect(await stored()).toEqual([
      ['BAG-01', 'Duffle bag', 3400, 100, 'Bags', '<p>Holds a lot.</p>', '/b/a/bag-01.jpg'],
      ['TEE-S', 'Tee-S', 1250, 0, 'Tops', 'Small.', null],
    ]);
    expect(lines).toEqual([
      'line 7: Price must have at most 2 decimals',
      '3 rows were skipped, because they are not products: pictures, translations, or sets of variants.',
      '2 created, 0 updated, 0 unchanged, 1 failed.',
    ]);
    expect(code).toBe(1);
  });
});

describe('npm run import --map', () => {
  const file =
    'sep=;\r\nArtikel;Bezeichnung;VK brutto;Lager;SKU\r\n;"Große\r\nLampe";10,50;3;A\r\n;Tisch;teuer;1;B\r\n;Stuhl;7;;C\r\n';
  const map = ['--map', 'name=Bezeichnung', '--map', 'price=vk brutto'];

  test('maps columns, keeps those with our names, and reports line numbers of the file', async () => {
    const { code, lines } = await runImport(await fileOf('map.csv', file), ...map, '--map', 'stock=Lager');
    expect(lines).toEqual([
      'line 5: Price must be a positive number',
      '2 created, 0 updated, 0 unchanged, 1 failed.',
    ]);
    expect(code).toBe(1);
    expect((await stored()).map((row) => row.slice(0, 4))).toEqual([
      ['A', 'Große\r\nLampe', 1050, 3],
      ['C', 'Stuhl', 700, 0],
    ]);
  });

  test.each([
    [
      ['--map', 'name=Preis'],
      'The file has no column Preis. It has: Artikel, Bezeichnung, VK brutto, Lager, SKU',
    ],
    [['--map', 'colour=Lager'], '--map colour=Lager: write <field>=<column>'],
    [['--map', 'name'], '--map name: write <field>=<column>'],
    [['--from', 'amazon'], '--from knows shopify, woocommerce, magento.'],
    [['--from', 'magento', ...map], 'Give --from or --map, not both.'],
  ])('is refused if it is invalid: %j', async (args, message) => {
    const { code, output } = await runImport(await fileOf('map.csv', file), ...args);
    expect(output).toContain(message);
    expect(code).toBe(1);
    expect(await stored()).toEqual([]);
  });
});

describe('npm run import', () => {
  test('sends a large file in parts, and detects a repeated SKU of an earlier part', async () => {
    const rows = Array.from({ length: 21_000 }, (_, i) => `S${i},Lamp ${i},1,5`);
    const path = await fileOf(
      'large.csv',
      ['sku,name,price,stock', ...rows, 'S1,Again,1,5', 'T1,L,1,5'].join('\n'),
    );
    const { code, lines, output } = await runImport(path);
    expect(lines).toEqual([
      'line 21002: This SKU appears earlier in the file',
      'line 21003: Name must be at least 3 characters',
      '21000 created, 0 updated, 0 unchanged, 2 failed.',
    ]);
    expect(output).toContain('100 %  21002 rows');
    expect(code).toBe(1);
  });

  test('imports our own files; stock and unknown columns only with their options', async () => {
    const csv = await fileOf('own.csv', 'sku,name,price,stock,colour\nA,Lamp,1,5,\nB,Table,2,5,red\n');
    expect((await runImport(csv, '--dry-run')).lines).toEqual([
      'line 3: Unknown field: colour',
      'Dry run: 1 created, 0 updated, 0 unchanged, 1 failed.',
    ]);
    expect(await stored()).toEqual([]);
    expect((await runImport(csv, '--ignore-unknown')).code).toBe(0);
    const ndjson = await fileOf(
      'own.ndjson',
      '{"sku":"A","stock":9}\n\n{"sku":"B","price":3}\n{"sku":"A"}\n',
    );
    expect((await runImport(ndjson)).lines).toEqual([
      'line 4: This SKU appears earlier in the file',
      '1 products kept their stock; --set-stock sets it.',
      '0 created, 1 updated, 1 unchanged, 1 failed.',
    ]);
    await runImport(ndjson, '--set-stock');
    expect((await stored()).map((row) => row.slice(0, 4))).toEqual([
      ['A', 'Lamp', 100, 9],
      ['B', 'Table', 300, 5],
    ]);
  });

  test.each([
    ['', 'is empty.'],
    [
      'name,stock\nLamp,1\n',
      'The shop refuses the file: 400 The first row must name the columns; missing: price',
    ],
    ['sku,name,price\nA,"Lamp,1\nB,Lamp,1\n', 'The file cannot be read from line 2 on'],
  ])('reports why it cannot import %j', async (content, message) => {
    const { code, output } = await runImport(await fileOf('bad.csv', content));
    expect(output).toContain(message);
    expect(code).toBe(1);
    expect(await stored()).toEqual([]);
  });
});
