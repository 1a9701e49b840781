import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { importFile, storedProducts } from './support/catalogue-file.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());
afterEach(async () => {
  await shop.db.$executeRaw`TRUNCATE products, stock_movements RESTART IDENTITY CASCADE`;
});

const listed = async () => {
  const { body } = await request(shop.app).get('/api/products?per_page=100').expect(200);
  return body.products as Record<string, unknown>[];
};

describe('a CSV file', () => {
  const LAMP = {
    sku: 'L1',
    name: 'Lamp',
    description: '',
    price_minor: 999,
    stock: 5,
    category: 'General',
    image_url: null,
  };

  test.each([
    ['comma and LF', 'sku,name,price,stock\nL1,Lamp,9.99,5\n'],
    ['no end of the last line', 'sku,name,price,stock\nL1,Lamp,9.99,5'],
    ['CRLF', 'sku,name,price,stock\r\nL1,Lamp,9.99,5\r\n'],
    ['CR', 'sku,name,price,stock\rL1,Lamp,9.99,5\r'],
    ['a byte order mark', '\ufeffsku,name,price,stock\nL1,Lamp,9.99,5\n'],
    ['a byte order mark before a quote', '\ufeff"sku","name","price","stock"\n"L1","Lamp","9.99","5"\n'],
    ['semicolons', 'sku;name;price;stock\r\nL1;Lamp;9.99;5\r\n'],
    ['tabs', 'sku\tname\tprice\tstock\nL1\tLamp\t9.99\t5\n'],
    ['another order and case', 'Stock,PRICE, Name ,SKU\n5,9.99,Lamp,L1\n'],
    ['quoted delimiters in the header', '"sku";"name";"price";"stock";"description"\nL1;Lamp;9.99;5;\n'],
    ['empty lines and rows', '\n\nsku,name,price,stock\n\nL1,Lamp,9.99,5\n,,,\n\n'],
    ['spaces around values', 'sku,name,price,stock\n L1 , Lamp , 9.99 , 5 \n'],
    ['blank cells beyond the header', 'sku,name,price,stock, \nL1,Lamp,9.99,5, ,\t\n'],
    ['trailing zeros', 'sku,name,price,stock\nL1,Lamp,9.9900,5\n'],
  ])('may have %s', async (_what, file) => {
    const { status, body } = await importFile(shop.app, file);
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        created: 1,
        updated: 0,
        unchanged: 0,
        failed: 0,
        stock_kept: 0,
        errors: [],
        errors_truncated: false,
      },
    });
    expect(await storedProducts(shop)).toEqual([LAMP]);
  });

  test('keeps quotes, line ends, formulas and emoji in a text unchanged', async () => {
    const description = 'He said "hi";\r\n=1+1,\tand 🦊';
    const file = `name,price,description\n"=SUM(A1)",1,"${description.replaceAll('"', '""')}"\n`;
    expect((await importFile(shop.app, file)).body).toMatchObject({ created: 1, failed: 0 });
    expect(await listed()).toMatchObject([{ name: '=SUM(A1)', description }]);
  });

  test.each(['100000,990000000000001', '100.000,990000000000001', '100000.990000000000001'])(
    'with semicolons refuses a price with more decimals than it keeps: %s',
    async (price) => {
      const { body } = await importFile(shop.app, `name;price\nLamp;${price}\n`);
      expect(body.errors).toEqual([{ line: 2, message: `Price ${price} has too many digits` }]);
    },
  );

  test('assigns product ids in the order of its rows', async () => {
    const skus = Array.from({ length: 1200 }, (_, i) => `S${(i * 7919) % 1200}`);
    const file = ['sku,name,price', ...skus.map((sku) => `${sku},Thing,1`)].join('\n');
    expect((await importFile(shop.app, file)).body).toMatchObject({ created: 1200, failed: 0 });
    expect((await storedProducts(shop)).map(({ sku }) => sku)).toEqual(skus);
  });

  test.each([
    ['no content', '', 'The file is empty'],
    ['only empty lines', '\n\r\n\n', 'The file is empty'],
    ['no column for the name', 'stock,price\nA,1\n', 'The first row must name the columns; missing: name'],
    ['no column names', 'L1,Lamp,9.99\n', 'The first row must name the columns; missing: name, price'],
    ['a column twice', 'name,price,Name\nLamp,1,Lamp\n', 'The column name appears twice'],
    [
      'a header with broken quotes',
      'na"me,price\nLamp,1\n',
      'Quotes must enclose a whole cell, and must be doubled inside it',
    ],
    ['bytes of a picture', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), 'The row is not UTF-8'],
    ['UTF-16', Buffer.from('\ufeffname,price\nLamp,1\n', 'utf16le'), 'The row is not UTF-8'],
    [
      'NUL bytes',
      Buffer.from('name,price\nLamp,1\n', 'utf16le'),
      'The first row must name the columns; missing: name, price',
    ],
  ])('with %s is refused whole', async (_what, file, detail) => {
    const { status, body } = await importFile(shop.app, file);
    expect({ status, code: body.code, detail: body.detail }).toEqual({
      status: 400,
      code: 'unreadable_file',
      detail,
    });
    expect(await storedProducts(shop)).toEqual([]);
  });

  test('fails row by row, with the line on which each row begins', async () => {
    const QUOTES = 'Quotes must enclose a whole cell, and must be doubled inside it';
    const rows: [string | Buffer, string | null][] = [
      ['sku,name,price,stock,image_url,colour', null],
      ['OK1,"Two\nlines",1,1,,', null],
      ['A,,9.99,1,,', 'Name is required: no product has this SKU'],
      ['B,Lamp,,1,,', 'Price is required: no product has this SKU'],
      [
        'C,La,-1,1.5,ftp://x,',
        'Name must be at least 3 characters; Price must be a positive number; Image URL must be an http or https address, or a path that begins with /; Stock must be a non-negative integer',
      ],
      ['D,Lamp,"9,99",1,,', 'Price must be a positive number'],
      ['E,Lamp,9.999,1,,', 'Price must have at most 2 decimals'],
      ['E2,Lamp,100000.990000000000001,1,,', 'Price 100000.990000000000001 has too many digits'],
      ['E3,Lamp,1,5.00000000000000001,,', 'Stock must be a non-negative integer'],
      ['E4,Lamp,1,100000.000000000000001,,', 'Stock 100000.000000000000001 has too many digits'],
      ['F,Lamp,1e3,1,,', 'Price must be a positive number'],
      ['G,Lamp,99999999999,1,,', 'Price must be at most 9999999999.99'],
      ['H,Lamp,1,9999999999,,', 'Stock must be at most 1000000000'],
      ['I,Lamp,1,1,,red', 'Unknown field: colour'],
      ['J,Lamp,1,1,,,too many', 'The row has 7 columns, the header 6'],
      ['OK4,Lamp,1,1,,,,,', null],
      ['OK5,Lamp,1', null],
      ['K,Lamp', 'Price is required: no product has this SKU'],
      ['L,"Lamp" x,1,1,,', QUOTES],
      ['M,27" Screen,1,1,,', QUOTES],
      [Buffer.from('N,L\xe4mpchen,1,1,,', 'latin1'), 'The row is not UTF-8'],
      ['O,La\0mp,1,1,,', 'Name contains characters that cannot be stored'],
      [`${'P'.repeat(65)},Lamp,1,1,,`, 'SKU must be at most 64 characters'],
      [`Q,${'x'.repeat(110_000)},1,1,,`, 'The row is longer than 100 kB: perhaps a quote is not closed'],
      ['OK2,Lamp,1,1,,', null],
      ['R,"open,1,1,,', 'A quote is not closed'],
      ['OK3,Lamp,1,1,,', null],
    ];
    const file = Buffer.concat(rows.flatMap(([row]) => [Buffer.from(row), Buffer.from('\n')]));
    let line = 1;
    const errors = rows.flatMap(([row, message]) => {
      const at = line;
      line += row.toString().split('\n').length;
      return message === null ? [] : [{ line: at, message }];
    });
    const { status, body } = await importFile(shop.app, file);
    expect(status).toBe(200);
    expect(body.errors).toEqual(errors);
    expect(body).toMatchObject({ created: 5, updated: 0, failed: errors.length });
    expect((await storedProducts(shop)).map(({ sku }) => sku)).toEqual(['OK1', 'OK4', 'OK5', 'OK2', 'OK3']);
  });

  test.each(['', '  ', '\ufeff', '\n\nsep=;'])(
    'may have blank lines before the header, whatever separates cells: %j',
    async (before) => {
      const file = `${before}\r\nsku;name;price\r\nA;Lamp, brass;1,50\r\n`;
      expect((await importFile(shop.app, file)).body).toMatchObject({ created: 1, failed: 0 });
      expect(await storedProducts(shop)).toMatchObject([{ sku: 'A', name: 'Lamp, brass', price_minor: 150 }]);
    },
  );

  test('treats columns with names of JavaScript properties as unknown', async () => {
    const file = 'name,price,__proto__,constructor\nLamp,1,x,\nLamp,1,,x\nLamp,1,,\n';
    expect((await importFile(shop.app, file)).body).toMatchObject({
      created: 1,
      errors: [
        { line: 2, message: 'Unknown field: __proto__' },
        { line: 3, message: 'Unknown field: constructor' },
      ],
    });
  });

  test('finds the next row after an unclosed quote', async () => {
    const good = Array.from({ length: 4000 }, (_, i) => `S${i},Lamp number ${i} of many,1`);
    const file = ['sku,name,price', 'X,"never closed,1', ...good].join('\n');
    const { body } = await importFile(shop.app, file);
    expect(body).toMatchObject({ created: 4000, failed: 1 });
    expect(body.errors).toEqual([
      { line: 2, message: 'The row is longer than 100 kB: perhaps a quote is not closed' },
    ]);
  });

  test('reports the first 100 failed rows, and counts all', async () => {
    const file = `name,price\n${'Lamp,free\n'.repeat(1500)}`;
    const { body } = await importFile(shop.app, file);
    expect(body).toMatchObject({ created: 0, updated: 0, failed: 1500, errors_truncated: true });
    expect(body.errors).toHaveLength(100);
    expect(body.errors.at(-1)).toEqual({ line: 101, message: 'Price must be a positive number' });
  });
});
