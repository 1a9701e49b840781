import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { admin, createProduct, type ProductJson } from './support/product.factory.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
let ids: Record<string, number>;

beforeAll(async () => {
  shop = await startTestShop();
  const made = [
    { name: 'Cast Iron Pan', description: 'Better than a kettle', price: 49, category: 'Kitchen' },
    { name: 'Steel Kettle', description: 'Holds one litre', price: 59, category: 'Kitchen' },
    { name: 'Kettlebell', description: '12 kg', price: 30, category: 'Sport' },
    { name: 'Wireless Headphones', price: 149, stock: 0, category: 'Audio' },
    { name: 'Wireless Earbuds', price: 89, category: 'Audio', sku: 'AUD-0042' },
    { name: "O'Reilly: USB-C & more", price: 40, category: 'Books' },
    { name: 'Café Müsli 日本語 テスト', price: 5, category: 'Food' },
    { name: 'Kettle of copper', price: 99, category: 'Kitchen' },
  ];
  ids = {};
  for (const fields of made) ids[fields.name] = (await createProduct(shop.app, fields)).id;
});
afterAll(() => shop.close());

const search = (q: string, rest = '') =>
  request(shop.app).get(`/api/products?q=${encodeURIComponent(q)}${rest}`);
const nameOf = ({ name }: ProductJson) => name.split(' ')[0];
const namesIn = (rows: ProductJson[]) => rows.map(({ name }) => name);
const found = async (q: string, rest = '') => namesIn((await search(q, rest).expect(200)).body.products);

describe('GET /api/products?q', () => {
  test('puts whole words before longer ones, and names before descriptions', async () => {
    expect(await found('kettle')).toEqual([
      'Kettle of copper',
      'Steel Kettle',
      'Kettlebell',
      'Cast Iron Pan',
    ]);
  });

  test('finds words by their prefix, in any case and order', async () => {
    expect(await found('KETT')).toHaveLength(4);
    expect(await found('kettl ste')).toEqual(['Steel Kettle']);
    expect(await found('headph wirel')).toEqual(['Wireless Headphones']);
    expect(await found('bell')).toEqual([]);
  });

  test('finds products that have all words, in any field', async () => {
    expect(await found('kettle litre')).toEqual(['Steel Kettle']);
    expect(await found('kitchen kettle copper')).toEqual(['Kettle of copper']);
    expect(await found('kettle wireless')).toEqual([]);
  });

  test('finds by category and SKU', async () => {
    expect(await found('audio')).toHaveLength(2);
    expect(await found('AUD-0042')).toEqual(['Wireless Earbuds']);
    expect(await found('aud-00')).toEqual(['Wireless Earbuds']);
  });

  test.each([
    ['hedphones', ['Wireless Headphones']],
    ['wirless earbud', ['Wireless Earbuds']],
    ['steel ketle', ['Steel Kettle']],
    ['musli', ['Café Müsli 日本語 テスト']],
    ['kichen', ['Cast Iron Pan', 'Steel Kettle', 'Kettle of copper']],
  ])('corrects %s to a similar word', async (q, names) => {
    expect((await found(q)).toSorted()).toEqual(names.toSorted());
  });

  test('corrects nothing if the words find something', async () => {
    expect(await found('kettlebell')).toEqual(['Kettlebell']);
  });

  test.each([
    ['日本語', 1],
    ['テス', 1],
    ['CAFÉ', 1],
    ["o'reilly", 1],
    ['usb-c', 1],
    ['"usb"', 1],
    ['!!!', 0],
    ['🫖', 0],
    ["'; DROP TABLE products; --", 0],
    ['kettle & !steel | (pan):*', 0],
    ['kettle:* <-> ', 4],
    ["\\'kettle\\", 4],
    ['%_', 0],
    ['kettle\nsteel', 1],
    ['https://example.com/kettle?a=b#c', 0],
    ['x'.repeat(200), 0],
    ['a b c d e f g h i j k l m n o p q r s t u v w x y z '.repeat(4).slice(0, 200), 0],
  ])('treats %j as plain words', async (q, count) => {
    const { body } = await search(q).expect(200);
    expect(body.products).toHaveLength(count);
    expect(body).toMatchObject({ total: count, total_is_estimate: false });
  });

  test.each(['', '   ', 'x'.repeat(201), 'a\u0000b'])('refuses %j', async (q) => {
    await search(q).expect(400);
  });

  test('can be combined with every filter', async () => {
    expect(await found('kettle', '&category=Sport')).toEqual(['Kettlebell']);
    expect(await found('kettle', '&min_price=50&max_price=60')).toEqual(['Steel Kettle']);
    expect(await found('wireless', '&in_stock=false')).toEqual(['Wireless Headphones']);
    expect(await found('wireless', '&in_stock=true')).toEqual(['Wireless Earbuds']);
    expect(await found('kettle', '&owner_id=7')).toHaveLength(4);
    expect(await found('kettle', '&owner_id=8')).toEqual([]);
    expect(await found('kettle', `&ids=${ids['Kettlebell']},${ids['Wireless Earbuds']}`)).toEqual([
      'Kettlebell',
    ]);
    expect(await found('hedphones', '&category=Audio')).toEqual(['Wireless Headphones']);
    await createProduct(shop.app, { name: 'Nameless samovar', category: '!!!' });
    expect(await found('samovar', '&category=!!!')).toEqual(['Nameless samovar']);
    expect(await found('kettle', '&category=KITCHEN')).toHaveLength(3);
    expect(await found('kettle', '&category=none')).toEqual([]);
  });

  test('is sorted as requested', async () => {
    const byPrice = ['Kettlebell', 'Cast Iron Pan', 'Steel Kettle', 'Kettle of copper'];
    expect(await found('kettle', '&sort=price')).toEqual(byPrice);
    expect(await found('kettle', '&sort=-price')).toEqual(byPrice.toReversed());
    expect(await found('kettle', '&sort=-id')).toEqual([
      'Kettle of copper',
      'Kettlebell',
      'Steel Kettle',
      'Cast Iron Pan',
    ]);
  });

  test.each(['relevance', 'price', '-name', 'created_at', '-id'])(
    'a cursor walks all matches by %s once',
    async (sort) => {
      const whole = await found('kettle', `&sort=${sort}`);
      const walked: string[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const place: string = cursor === '' ? '' : `&cursor=${cursor}`;
        const { body } = await search('kettle', `&sort=${sort}&per_page=1${place}`).expect(200);
        expect(body).toMatchObject({ total: 4, pages: 4, per_page: 1 });
        walked.push(...namesIn(body.products));
        cursor = body.next_cursor;
      }
      expect(walked).toEqual(whole);
      expect(walked).toHaveLength(4);
    },
  );

  test('returns pages, also of corrected words, and the total on a page without products', async () => {
    const second = await search('kettle', '&per_page=3&page=2').expect(200);
    expect(namesIn(second.body.products)).toEqual(['Cast Iron Pan']);
    expect(second.body).toMatchObject({ total: 4, page: 2, pages: 2, next_cursor: null });
    const corrected = await search('wirless', '&per_page=1&page=2').expect(200);
    expect(corrected.body).toMatchObject({ total: 2, page: 2, products: [expect.anything()] });
    expect((await search('kettle', '&page=3').expect(200)).body).toMatchObject({ total: 4, products: [] });
  });

  test('refuses a cursor of another order', async () => {
    const { body } = await search('kettle', '&per_page=1').expect(200);
    await search('kettle', `&sort=price&cursor=${body.next_cursor}`).expect(400);
    await request(shop.app).get(`/api/products?sort=relevance`).expect(400);
    await search('kettle', '&sort=-relevance').expect(400);
  });

  test('follows changes, and never finds deleted products', async () => {
    const { id } = await createProduct(shop.app, { name: 'Thermos', stock: 3 });
    const change = (body: object) =>
      request(shop.app).patch(`/api/products/${id}`).set('Authorization', admin()).send(body).expect(200);
    expect(await found('thermos')).toEqual(['Thermos']);
    await change({ name: 'Teapot', description: 'Once a thermos' });
    expect(await found('teapot')).toEqual(['Teapot']);
    expect(await found('teepot')).toEqual(['Teapot']);
    await request(shop.app).delete(`/api/products/${id}`).set('Authorization', admin()).expect(200);
    for (const q of ['teapot', 'thermos', 'teepot']) expect(await found(q)).toEqual([]);
  });
});

/** `Word 1` to `Word <count>`, in one category. */
const addNamed = (word: string, count: number) => shop.db.$executeRaw`
  INSERT INTO products (name, price_minor, stock, category, owner_id)
  SELECT ${word} || ' ' || n, n, 1, 'Many', 1 FROM generate_series(1, ${count}::int) AS n`;

describe('GET /api/products?q of a word that many products have', () => {
  test('returns and counts all of them', async () => {
    await addNamed('Common', 305);
    const { body } = await search('common', '&per_page=50').expect(200);
    expect(body).toMatchObject({ total: 305, pages: 7, total_is_estimate: false });
    const last = await search('common', '&per_page=50&page=7').expect(200);
    expect(last.body).toMatchObject({ total: 305, next_cursor: null });
    expect(last.body.products).toHaveLength(5);
    const rare = await search('common 77').expect(200);
    expect(rare.body).toMatchObject({ total: 1, total_is_estimate: false });
  });

  test('ranks whole words first, however many words begin with it', async () => {
    await addNamed('Rarely', 105);
    await addNamed('Rare', 105);
    const names = async (q: string) =>
      (await search(q, '&per_page=100').expect(200)).body.products.map(nameOf);
    expect(new Set(await names('rare'))).toEqual(new Set(['Rare']));
    expect((await names('many rare')).every((name: string) => name === 'Rare')).toBe(true);
  });

  test('finds the others too, each once, if few have the whole word', async () => {
    await addNamed('Solemn', 3);
    await addNamed('Sole', 2);
    const { body } = await search('sole').expect(200);
    expect(namesIn(body.products).toSorted()).toEqual([
      'Sole 1',
      'Sole 2',
      'Solemn 1',
      'Solemn 2',
      'Solemn 3',
    ]);
    expect(body).toMatchObject({ total: 5, total_is_estimate: false });
  });
});
