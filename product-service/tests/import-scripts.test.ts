import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { exportFile, importFile, storedProducts } from './support/catalogue-file.ts';
import { createProduct, seller } from './support/product.factory.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

// The Import chapter of the HTTP contract with texts of nine scripts.

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());
beforeEach(async () => {
  await shop.db
    .$executeRaw`TRUNCATE products, categories, category_counts, stock_movements RESTART IDENTITY CASCADE`;
});

interface Script {
  name: string;
  category: string;
  sku: string;
  description: string;
  /** The same text with other code points, which NFC makes equal. */
  other: (text: string) => string;
}

const decomposed = (text: string) => text.normalize('NFD');

const SCRIPTS: Record<string, Script> = {
  Latin: {
    name: 'Crème brûlée',
    category: 'Süßes',
    sku: 'Größe-Å1',
    description: 'Für „vier“ Personen; à la carte',
    other: decomposed,
  },
  Greek: {
    name: 'Καφετιέρα ασημένια',
    category: 'Σκεύη για καφέ',
    sku: 'ΚΑΦΈ-1',
    description: 'Αλουμίνιο, έξι φλιτζάνια· μαύρη λαβή',
    other: decomposed,
  },
  Cyrillic: {
    name: 'Чайник «Ёлка» электрический',
    category: 'Чайники',
    sku: 'ЧАЙ-1',
    description: 'Тёмно-синий; объём 1,7 л',
    other: decomposed,
  },
  Arabic: {
    name: 'آلة القهوة، فضية',
    category: 'أدوات المطبخ',
    sku: 'قهوة-آ١',
    description: 'إبريق من الفولاذ؛ سعة لتر واحد',
    other: decomposed,
  },
  Hindi: {
    name: 'ऩीली केतली',
    category: 'ऱसोई',
    sku: 'केतली-ऩ१',
    description: 'इस्पात की केतली। एक लीटर',
    other: decomposed,
  },
  Thai: {
    // A vowel below and a tone mark above have one order in NFC.
    name: 'กาน้ำชาลายพุ่ม',
    category: 'ถ้วยและพุ่ม',
    sku: 'พุ่ม-๑',
    description: 'เซรามิกสีขาว พุ่มไม้; หนึ่งลิตร',
    other: (text) => text.replaceAll('\u0e38\u0e48', '\u0e48\u0e38'),
  },
  Chinese: {
    // 茶 has a compatibility form, which NFC replaces.
    name: '宜兴紫砂茶壶',
    category: '茶具',
    sku: '茶-壶1',
    description: '手工制作，容量：300毫升；送茶叶',
    other: (text) => text.replaceAll('茶', '\uf9fe'),
  },
  Japanese: {
    name: 'ガラスのティーポット',
    category: 'キッチン・食器がいろいろ',
    sku: 'ポット-1',
    description: '耐熱ガラス、茶こし付き。',
    other: decomposed,
  },
  Korean: {
    name: '찻주전자 세트',
    category: '주방 용품',
    sku: '주전자-1',
    description: '도자기, 컵 네 개; 흰색',
    other: decomposed,
  },
};

const BOM = '\ufeff';
const HEADER = 'sku;name;price;stock;category;description';
const quoted = (text: string) => `"${text}"`;

describe.each(Object.entries(SCRIPTS))('a file in %s', (script, text) => {
  const { name, category, sku, description, other } = text;
  const stored = { sku, name, description, price_minor: 129_950, stock: 3, category, image_url: null };
  const rowOf = (form: (text: string) => string) =>
    [form(sku), form(name), '1.299,50', '3', form(category), quoted(form(description))].join(';');
  const file = (...rows: string[]) => [HEADER, ...rows].join('\r\n');

  test('has texts in two Unicode forms', () => {
    for (const field of [name, category, sku]) {
      expect(other(field)).not.toBe(field);
      expect(other(field).normalize('NFC')).toBe(field);
    }
  });

  test.each([
    ['', 'as written'],
    [BOM, 'behind a byte order mark'],
    ['sep=;\r\n', 'behind a line sep=;'],
  ])('is stored in NFC, with a decimal comma: %j', async (before) => {
    for (const form of [other, (given: string) => given]) {
      const { body } = await importFile(shop.app, `${before}${file(rowOf(form))}`);
      expect(body).toMatchObject({ failed: 0, errors: [] });
      expect(await storedProducts(shop)).toEqual([stored]);
    }
  });

  test('may have short rows', async () => {
    const { body } = await importFile(shop.app, file(`${other(sku)};${other(name)};5`));
    expect(body).toMatchObject({ created: 1, failed: 0 });
    const again = await importFile(shop.app, `sku;price\n${other(sku)};6,5\n`);
    expect(again.body).toMatchObject({ updated: 1, failed: 0 });
    expect(await storedProducts(shop)).toEqual([
      { ...stored, description: '', price_minor: 650, stock: 0, category: 'General' },
    ]);
  });

  test('has a SKU once, in whatever form', async () => {
    const { body } = await importFile(
      shop.app,
      file(
        rowOf((given) => given),
        rowOf(other),
      ),
    );
    expect(body).toMatchObject({ created: 1, failed: 1 });
    expect(body.errors).toEqual([{ line: 3, message: 'This SKU appears earlier in the file' }]);
    const update = await importFile(shop.app, file(rowOf(other)));
    expect(update.body).toMatchObject({ created: 0, updated: 0, unchanged: 1, failed: 0 });
  });

  test('names a category that exists in another form', async () => {
    const { category: first } = await createProduct(shop.app, { category });
    await importFile(shop.app, file(rowOf(other))).expect(200);
    expect((await storedProducts(shop)).map((product) => product['category'])).toEqual([first, first]);
  });

  test.each(['csv', 'ndjson'])('may be sent by a form under its own name: .%s', async (ending) => {
    const bytes = Buffer.from(
      ending === 'csv' ? file(rowOf(other)) : JSON.stringify({ ...ROW, sku: other(sku), name: other(name) }),
    );
    const { body } = await request(shop.app)
      .post('/api/products/import')
      .set('Authorization', seller())
      .attach('file', bytes, { filename: `${name}.${ending}`, contentType: 'application/octet-stream' });
    expect(body).toMatchObject({ created: 1, failed: 0 });
    expect(await storedProducts(shop)).toMatchObject([{ sku, name }]);
  });

  test.each([
    ['csv', 'text/csv'],
    ['ndjson', 'application/x-ndjson'],
  ])('comes back identical from an export as %s', async (format, type) => {
    await importFile(shop.app, file(rowOf(other))).expect(200);
    const { body: exported } = await exportFile(shop.app, `format=${format}`);
    expect(exported).toContain(name);
    const same = await importFile(shop.app, exported, { type, query: 'stock=set' });
    expect(same.body).toMatchObject({ created: 0, updated: 0, unchanged: 1, failed: 0 });
    await shop.db.$executeRaw`TRUNCATE products, stock_movements CASCADE`;
    const again = await importFile(shop.app, exported, { type });
    expect(again.body).toMatchObject({ created: 1, failed: 0 });
    expect(await storedProducts(shop)).toEqual([stored]);
    expect((await exportFile(shop.app, `format=${format}`)).body).toBe(exported);
  });

  test('reports the lines of refused rows', async () => {
    const rows = [`A;${name};?`, `B;${name};-1`, `C;${name};1;x`, `D;;1`];
    const { body } = await importFile(shop.app, file(...rows, rowOf(other)));
    expect({ script, ...body }).toMatchObject({ script, created: 1, failed: 4 });
    expect(body.errors.map(({ line }: { line: number }) => line)).toEqual([2, 3, 4, 5]);
  });
});

const ROW = { price: 5, stock: 1 };

test.each(['Ж', 'α', 'ب', 'क', 'ก', '茶', 'お', 'が', '봄', 'ゔ'])(
  'a name of another script than Latin may be one character: %s',
  async (name) => {
    const rows = [name, name.normalize('NFD')].map((form, i) => `S${i};${form};1,50`);
    expect((await importFile(shop.app, ['sku;name;price', ...rows].join('\n'))).body).toMatchObject({
      created: 2,
      failed: 0,
    });
    expect(await storedProducts(shop)).toMatchObject([{ name }, { name }]);
  },
);

test.each(['Å', 'e\u0301', 'ab', '12', '☕'])('a name of Latin letters may not: %s', async (name) => {
  const { body } = await importFile(shop.app, `name;price\n${name};1\n`);
  expect(body.errors).toEqual([{ line: 2, message: 'Name must be at least 3 characters' }]);
});
