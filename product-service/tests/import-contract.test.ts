import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { importFile } from './support/catalogue-file.ts';
import { createProduct } from './support/product.factory.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

// One test for each rule of the files that docs/http-api.md describes under Import.

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());
afterEach(async () => {
  await shop.db.$executeRaw`TRUNCATE products, stock_movements RESTART IDENTITY CASCADE`;
});

const BAD_PRICE = 'Price must be a positive number';
const stored = () =>
  shop.db.$queryRaw<Record<string, unknown>[]>`
    SELECT sku, name, price_minor::int AS price, stock, category, description FROM products ORDER BY id`;
const twoWays = (text: string, whole: string, decimal: string) =>
  `Price ${text} is ambiguous: write ${whole}, or ${decimal}`;

/** The price of the only row in minor units, or its error. */
async function readPrice(cell: string, delimiter: string) {
  const row = ['sku', 'name', 'price'].join(delimiter);
  const { body } = await importFile(shop.app, `${row}\n${['A', 'Lamp', cell].join(delimiter)}\n`);
  return body.errors[0]?.message ?? (await stored())[0]?.['price'];
}

describe('the line number of an error', () => {
  test.each([
    ['the header counts', 'sku,name,price\nA,Lamp,free\n', 2],
    ['a line sep=; counts', 'sep=;\nsku;name;price\nA;Lamp;free\n', 3],
    ['empty lines count', '\n\nsku,name,price\n\nA,Lamp,free\n', 5],
    ['the lines of a cell count', 'sku,name,price\nB,"Lamp\n\nshade",1\nA,Lamp,free\n', 5],
    ['a row has the line where it begins', 'sku,name,price\nB,Lamp,1\nA,"La\nmp",free\n', 3],
    ['CRLF is one end', 'sku,name,price\r\nB,Lamp,1\r\nA,Lamp,free\r\n', 3],
    ['CR is one end', 'sku,name,price\rB,Lamp,1\rA,Lamp,free\r', 3],
  ])('counts the lines of the file: %s', async (_what, file, line) => {
    expect((await importFile(shop.app, file)).body.errors).toEqual([{ line, message: BAD_PRICE }]);
  });
});

test.each([
  'sku,name,price',
  'SKU,Name,PRICE',
  ' sku , name,price ',
  '"Sku","NAME ","Price"',
  'sKu,nAmE,pRiCe,,',
])('names of columns are compared without case and surrounding blanks: %s', async (header) => {
  expect((await importFile(shop.app, `${header}\nA,Lamp,1\n`)).body).toMatchObject({ created: 1, failed: 0 });
  expect(await stored()).toMatchObject([{ sku: 'A', name: 'Lamp', price: 100 }]);
});

describe('a short row', () => {
  const header = 'sku,name,price,stock,category,description';

  test.each(['A,Lamp,1', 'A,Lamp,1,', 'A,Lamp,1,,', 'A,Lamp,1,,,', '"A","Lamp","1"'])(
    'gives a new product the defaults: %s',
    async (row) => {
      expect((await importFile(shop.app, `${header}\n${row}\n`)).body).toMatchObject({
        created: 1,
        failed: 0,
      });
      expect(await stored()).toEqual([
        { sku: 'A', name: 'Lamp', price: 100, stock: 0, category: 'General', description: '' },
      ]);
    },
  );

  test.each(['A', 'A,', 'A,,', 'A,Lamp', 'A,Lamp,9.99,,,', 'A, , ,'])(
    'leaves what it lacks of an existing product as it is: %s',
    async (row) => {
      await createProduct(shop.app, { sku: 'A', name: 'Lamp', category: 'Light', description: 'Bright' });
      const before = await stored();
      expect((await importFile(shop.app, `${header}\n${row}\n`)).body).toMatchObject({
        unchanged: 1,
        failed: 0,
      });
      expect(await stored()).toEqual(before);
    },
  );
});

describe('cells beyond the header', () => {
  test.each(['A,Lamp,1,', 'A,Lamp,1,,,,,', 'A,Lamp,1,"",""'])(
    'are ignored where they are empty: %s',
    async (row) => {
      expect((await importFile(shop.app, `sku,name,price\n${row}\n`)).body).toMatchObject({
        created: 1,
        failed: 0,
      });
    },
  );

  test.each([
    ['A,Lamp,1,x', 4],
    ['A,Lamp,1,,x', 5],
    ['A,Lamp,1,000', 4],
  ])('refuse only their own row if they are not empty: %s', async (row, columns) => {
    const { body } = await importFile(shop.app, `sku,name,price\n${row}\nB,Lamp,1\n`);
    expect(body).toMatchObject({ created: 1, failed: 1 });
    expect(body.errors).toEqual([{ line: 2, message: `The row has ${columns} columns, the header 3` }]);
  });
});

describe('a price', () => {
  test.each([
    ['7.250000', 725],
    ['7.5', 750],
    ['7.00', 700],
    ['0.10000', 10],
    ['1.000', 100],
    ['7.251', 'Price must have at most 2 decimals'],
    ['10,50', 'The row has 4 columns, the header 3'],
    ['"10,50"', BAD_PRICE],
    ['"1,299.00"', BAD_PRICE],
    ['1e2', BAD_PRICE],
    ['€ 5', BAD_PRICE],
  ])('has a decimal point in a file with commas: %s', async (cell, expected) => {
    expect(await readPrice(cell, ',')).toEqual(expected);
  });

  test.each([
    ['10,50', 1050],
    ['10,5', 1050],
    ['0,99', 99],
    ['1.299,00', 129_900],
    ['1.234.567,89', 123_456_789],
    ['1.234.567', 123_456_700],
    ['7,250000', 725],
    ['10.50', 1050],
    ['1,299.00', 129_900],
    ['1299', 129_900],
    ['0,500', 50],
    ['1.000', twoWays('1.000', '1000', '1.00')],
    ['1,000', twoWays('1,000', '1000', '1,00')],
    ['12.500', twoWays('12.500', '12500', '12.50')],
    // With one digit less it would be another price where the currency has three decimals.
    ['1,234', twoWays('1,234', '1234', '1,2340')],
    ['1,2340', 'Price must have at most 2 decimals'],
    ['1.234,567.890', BAD_PRICE],
    ['1.29,00', BAD_PRICE],
    ['1.2999,00', BAD_PRICE],
    ['10,5,0', BAD_PRICE],
    ['-10,50', BAD_PRICE],
  ])('may have a decimal comma in a file with semicolons or tabs: %s', async (cell, expected) => {
    expect(await readPrice(cell, ';')).toEqual(expected);
    await shop.db.$executeRaw`TRUNCATE products, stock_movements RESTART IDENTITY CASCADE`;
    expect(await readPrice(cell, '\t')).toEqual(expected);
  });
});

test.each([
  ['sep=;', 'sku;name;price', 'A;Lamp, large;10,50'],
  ['sep=,', 'sku,name,price', 'A,"Lamp, large",10.50'],
  ['sep=\t', 'sku\tname\tprice', 'A\tLamp, large\t10,50'],
  ['SEP=;', 'sku;name;price', 'A;Lamp, large;10,50'],
  ['\ufeffsep=;', 'sku;name;price', 'A;Lamp, large;10,50'],
])('a first line %j is understood', async (...lines) => {
  for (const end of ['\n', '\r\n']) {
    await shop.db.$executeRaw`TRUNCATE products, stock_movements RESTART IDENTITY CASCADE`;
    expect((await importFile(shop.app, lines.join(end))).body).toMatchObject({ created: 1, failed: 0 });
    expect(await stored()).toMatchObject([{ sku: 'A', name: 'Lamp, large', price: 1050 }]);
  }
});

test.each([
  ['Latin-1', Buffer.from('B,L\xe4mpchen,1\n', 'latin1')],
  ['half a character', Buffer.from([66, 44, 0xf0, 0x9f, 44, 49, 10])],
  ['an overlong form', Buffer.from([66, 44, 0xc0, 0xaf, 44, 49, 10])],
])('only the row that is not UTF-8 fails: %s', async (_what, row) => {
  const file = Buffer.concat([
    Buffer.from('sku,name,price\nA,Lämpchen,1\n'),
    row,
    Buffer.from('C,Лампа,1\n'),
  ]);
  const { body } = await importFile(shop.app, file);
  expect(body).toMatchObject({ created: 2, errors: [{ line: 3, message: 'The row is not UTF-8' }] });
  expect(await stored()).toMatchObject([{ name: 'Lämpchen' }, { name: 'Лампа' }]);
});

describe('a row with an unknown field', () => {
  const csv = 'sku,name,price,Colour,id\nA,Lamp,1,red,\nB,Lamp,1,,\nC,Lamp,1,,7\n';
  const rows = [
    { sku: 'A', name: 'Lamp', price: 1, colour: 'red' },
    { sku: 'B', name: 'Lamp', price: 1 },
    { sku: 'C', name: 'Lamp', price: 1, id: 7 },
  ];
  const ndjson = rows.map((row) => JSON.stringify(row)).join('\n');

  test.each([
    ['text/csv', csv, [2, 4]],
    ['application/x-ndjson', ndjson, [1, 3]],
  ])('is the only one that fails, unless unknown=ignore: %s', async (type, file, [first = 0, last = 0]) => {
    const { body } = await importFile(shop.app, file, { type });
    expect(body).toMatchObject({ created: 1, failed: 2 });
    expect(body.errors).toEqual([
      { line: first, message: 'Unknown field: colour' },
      { line: last, message: 'Unknown field: id' },
    ]);
    const ignoring = await importFile(shop.app, file, { type, query: 'unknown=ignore' });
    expect(ignoring.body).toMatchObject({ created: 2, unchanged: 1, failed: 0 });
  });

  test.each(['unknown=yes', 'unknown=', 'stock=add', 'dryrun=true', 'colour=red'])(
    'cannot be let in by a parameter that is unknown too: %s',
    async (query) => {
      const { status, body } = await importFile(shop.app, csv, { query });
      expect({ status, code: body.code }).toEqual({ status: 400, code: 'validation_failed' });
      expect(await stored()).toEqual([]);
    },
  );
});
