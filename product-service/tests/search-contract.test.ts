import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { createProduct, type ProductJson } from './support/product.factory.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

// The Search chapter of the HTTP contract, sentence by sentence. Products are described as name | category | SKU | description.

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
  for (const product of CATALOGUE) {
    const [name, category, sku, description] = product.split('|').map((field) => field.trim() || undefined);
    await createProduct(shop.app, { name, category, sku, description });
  }
});
afterAll(() => shop.close());

const CATALOGUE = [
  'Shirt Black/White',
  'Socks 38-40',
  'Gearbox | Parts | AB-12345',
  'Paint RAL 7016',
  'Hub <USB> small | Parts',
  'Über den Wolken | Bücher',
  'Straßenkarte | Bücher',
  'Crème brûlée',
  'Cre\u0300me fraîche',
  'Ｆｕｌｌ width ①',
  'foo.bar/baz.tar.gz | Files',
  'mail me@example.com now',
  'Στέλιος Οδυσσεύς | ΒΙΒΛΊΑ',
  'Ёлка новогодняя | Праздник',
  'Чайник, электрический',
  'سجادة، حمراء',
  'مُحَمَّد كـــتاب',
  'चाय। केतली',
  'शाम॥ सुबह',
  'חג־שמח גדול',
  'กาน้ำชาเซรามิก',
  '宜兴紫砂茶壶',
  '東京都の地図',
  '東京タワーと京都駅',
  '찻주전자 세트',
  'Teapot ☕ round 🫖steel',
  'Kettle',
  'Kettle of copper',
  'Kettlebell',
  'Thing one | Kettle',
  'Thing two | Other | KETTLE-9',
  'Thing three | Other || With a kettle',
  'Thing four | Other | KETTLE',
  'Wireless Headphones',
  'Серебристый самовар',
  'Καφετιέρα ασημένια',
];

const search = async (q: string, rest = ''): Promise<ProductJson[]> =>
  (
    await request(shop.app)
      .get(`/api/products?q=${encodeURIComponent(q)}${rest}`)
      .expect(200)
  ).body.products;
const found = async (q: string, rest = '') => (await search(q, rest)).map(({ name }) => name);

describe('a search finds products that have every word', () => {
  test.each([
    ['black shirt', 'Shirt Black/White'],
    ['gearbox parts', 'Gearbox'],
    ['gear ab 123', 'Gearbox'],
    ['новогодняя праздник', 'Ёлка новогодняя'],
    ['kettle with', 'Thing three'],
  ])('%s, in several fields', async (q, name) => expect(await found(q)).toEqual([name]));

  test.each([
    ['whit', 'Shirt Black/White'],
    ['ab 1', 'Gearbox'],
    ['ηλεκτ', undefined],
    ['οδυσ', 'Στέλιος Οδυσσεύς'],
    ['новогод', 'Ёлка новогодняя'],
    ['سجا', 'سجادة، حمراء'],
    ['केत', 'चाय। केतली'],
    ['גד', 'חג־שמח גדול'],
  ])('%s, as the beginning of a word', async (q, name) =>
    expect(await found(q)).toEqual(name === undefined ? [] : [name]),
  );

  test('all of them, not only some', async () => {
    expect(await found('shirt gearbox')).toEqual([]);
    expect(await found('hirt')).not.toContain('Kettle');
  });
});

describe('words of a normalised text', () => {
  test.each([
    ['white', 'Shirt Black/White'],
    ['40', 'Socks 38-40'],
    ['12345', 'Gearbox'],
    ['AB 12345', 'Gearbox'],
    ['ab-12345', 'Gearbox'],
    ['RAL 7016', 'Paint RAL 7016'],
    ['hub usb', 'Hub <USB> small'],
    ['uber', 'Über den Wolken'],
    ['STRASSENKARTE', 'Straßenkarte'],
    ['straßenkarte', 'Straßenkarte'],
    ['brulee', 'Crème brûlée'],
    ['crème fraiche', 'Cre\u0300me fraîche'.normalize('NFC')],
    ['full 1', 'Ｆｕｌｌ width ①'],
    ['ｆｕｌｌ', 'Ｆｕｌｌ width ①'],
    ['baz', 'foo.bar/baz.tar.gz'],
    ['gz tar', 'foo.bar/baz.tar.gz'],
    ['example', 'mail me@example.com now'],
    ['ΟΔΥΣΣΕΥΣ', 'Στέλιος Οδυσσεύς'],
    ['οδυσσευς βιβλια', 'Στέλιος Οδυσσεύς'],
    ['ελκα', undefined],
    ['ЕЛКА', 'Ёлка новогодняя'],
    ['электрический чайник', 'Чайник, электрический'],
    ['حمراء سجادة', 'سجادة، حمراء'],
    ['محمد كتاب', 'مُحَمَّد كـــتاب'],
    ['केतली', 'चाय। केतली'],
    ['सुबह', 'शाम॥ सुबह'],
    ['שמח', 'חג־שמח גדול'],
    ['steel round', 'Teapot ☕ round 🫖steel'],
  ])('%s', async (q, name) => expect(await found(q)).toEqual(name === undefined ? [] : [name]));

  test.each(['%', '!?', '。、', '🫖', '।', '،', '\u200b'])('%j has no word and finds nothing', async (q) => {
    const { body } = await request(shop.app)
      .get('/api/products')
      .query({ q: `${q}.` })
      .expect(200);
    expect(body).toMatchObject({ products: [], total: 0, pages: 0 });
  });
});

describe('scripts without spaces', () => {
  test.each([
    ['茶壶', '宜兴紫砂茶壶'],
    ['紫砂', '宜兴紫砂茶壶'],
    ['兴紫砂', '宜兴紫砂茶壶'],
    ['地図', '東京都の地図'],
    ['ワー', '東京タワーと京都駅'],
    ['주전', '찻주전자 세트'],
    ['전자', '찻주전자 세트'],
    ['น้ำชา', 'กาน้ำชาเซรามิก'],
    ['เซรา', 'กาน้ำชาเซรามิก'],
    ['セット', undefined],
  ])('are searched by any two or more consecutive characters: %s', async (q, name) =>
    expect(await found(q)).toEqual(name === undefined ? [] : [name]),
  );

  test('are not found if the characters are not consecutive', async () => {
    expect(await found('東京都')).toEqual(['東京都の地図']);
    expect(await found('京都')).toHaveLength(2);
    expect(await found('紫茶')).toEqual([]);
  });
});

describe('words that fewer than five products have', () => {
  test.each([
    ['hedphones', 'Wireless Headphones'],
    ['haedphones', 'Wireless Headphones'],
    ['headphoness', 'Wireless Headphones'],
    ['heedphonas', 'Wireless Headphones'],
    ['wireless hedphones', 'Wireless Headphones'],
    ['wirless headphones', 'Wireless Headphones'],
    ['самавар', 'Серебристый самовар'],
    ['серебристый смаовар', 'Серебристый самовар'],
    ['καφετιερ ασιμενια', 'Καφετιέρα ασημένια'],
    ['gaerbox', 'Gearbox'],
  ])('also find the most similar known words: %s', async (q, name) => expect(await found(q)).toEqual([name]));

  test('are ranked below exact matches', async () => {
    await createProduct(shop.app, { name: 'Ketle', description: 'An old spelling' });
    const names = await found('ketle');
    expect(names[0]).toBe('Ketle');
    expect(names).toEqual(expect.arrayContaining(['Kettle', 'Kettle of copper', 'Thing three']));
  });

  test('are not corrected if they contain a digit', async () => {
    expect(await found('12344')).toEqual([]);
    expect(await found('hedph0nes')).toEqual([]);
  });

  test('are not corrected for five products', async () => {
    for (let n = 0; n < 4; n += 1) await createProduct(shop.app, { name: `Lamb ${n}` });
    await createProduct(shop.app, { name: 'Lamp' });
    expect(await found('lamb')).toHaveLength(5);
    await createProduct(shop.app, { name: 'Lamb 5' });
    expect(await found('lamb')).toHaveLength(5);
    expect(await found('lamb')).not.toContain('Lamp');
  });
});

describe('order', () => {
  test('of relevance: SKU, whole name, words of the name, beginnings, category, description, newest', async () => {
    expect((await found('kettle')).filter((name) => name !== 'Ketle')).toEqual([
      'Thing four',
      'Kettle',
      'Kettle of copper',
      'Kettlebell',
      'Thing two',
      'Thing one',
      'Thing three',
    ]);
    expect(await found('thing')).toEqual(['Thing four', 'Thing three', 'Thing two', 'Thing one']);
  });

  test('of names follows languages', async () => {
    for (const name of ['Zebra', 'apple', 'Äpfel', 'Über', 'zoo']) {
      await createProduct(shop.app, { name, category: 'Letters' });
    }
    const names = ['Äpfel', 'apple', 'Über', 'Zebra', 'zoo'];
    expect(await found('letters', '&sort=name')).toEqual(names);
    expect(await found('letters', '&sort=-name')).toEqual(names.toReversed());
    const list = await request(shop.app).get('/api/products?category=letters&sort=name').expect(200);
    expect(list.body.products.map(({ name }: ProductJson) => name)).toEqual(names);
  });
});
