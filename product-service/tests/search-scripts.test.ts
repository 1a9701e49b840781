import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { createProduct, type ProductJson } from './support/product.factory.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

// The Search chapter of the HTTP contract in nine scripts. Products are described as name | category | SKU | description.

const CATALOGUE = [
  // Each with a word of its script in every field.
  'Wireless Headphones | Sound | HP-Nord1 | Closed, with a cable',
  'Καφετιέρα ασημένια | Κουζίνα | ΚΑΦ-Βορράς1 | Αλουμίνιο και ξύλο',
  'Серебристый самовар | Посуда | САМ-Север1 | Латунь, ручки из дерева',
  'سجادة حمراء | مفروشات | سجاد-شمال1 | صوف طبيعي، صناعة يدوية',
  'नारंगी केतली | रसोई | केत-उत्तर1 | इस्पात की बनी',
  'กาน้ำชาเซรามิก | ห้องครัว | ชา-เหนือ1 | ทำด้วยมือ สีขาว',
  '宜兴紫砂茶壶 | 茶具 | 壶-北方1 | 手工制作，容量大',
  '東京タワーの模型 | おもちゃ | 塔-きた1 | 木製、組み立て式',
  '찻주전자 세트 | 주방용품 | 차-북쪽1 | 도자기 컵 포함',
  // Forms that NFKC makes equal.
  'ｶﾒﾗ用三脚',
  'ｶﾞﾗｽのﾎﾟｯﾄ',
  'か\u3099っき',
  '한글 자판'.normalize('NFD'),
  'iPhone手机壳',
  '数据线２０米',
  'กาแฟ2in1',
  'วิทยุ AM/FM',
  '２４色のペン',
  '㍿ミツワ',
  // Words that have all pairs of a longer one, but not in a row.
  '가나 나다',
  'ดีมา มาก',
  '京都 都市',
  '東西 西口',
  // Letters that no decomposition makes plain.
  'Ærø lighthouse',
  'Œuvre complète',
  'Łódź poster',
  'Đà Nẵng coffee',
  'Þórður sweater',
  'Ísafjörður eiðar',
  'ışık lamp',
  'İzmir figs',
  'Eﬃcient ﬁlter',
  'Smørrebrød board',
  // Digits of several scripts.
  'كرسي٣ خشبي',
  'मेज३ लकड़ी',
  'つくえ３号',
  'Tischlein3 Eiche',
];

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
  for (const product of CATALOGUE) {
    const [name, category, sku, description] = product.split('|').map((field) => field.trim() || undefined);
    await createProduct(shop.app, { name, category, sku, description });
  }
});
afterAll(() => shop.close());

const found = async (q: string): Promise<string[]> => {
  const { body } = await request(shop.app).get('/api/products').query({ q }).expect(200);
  return body.products.map(({ name }: ProductJson) => name);
};

describe('words of several fields find a product that has all of them', () => {
  test.each([
    ['Latin', 'wireless sound nord1 cable', 'Wireless Headphones'],
    ['Greek', 'ασημενια κουζινα βορρας1 ξυλο', 'Καφετιέρα ασημένια'],
    ['Cyrillic', 'САМОВАР посуда север1 дерева', 'Серебристый самовар'],
    ['Arabic', 'حمراء مفروشات شمال1 صوف', 'سجادة حمراء'],
    ['Hindi', 'केतली रसोई उत्तर1 इस्पात', 'नारंगी केतली'],
    ['Thai', 'น้ำชา ครัว เหนือ1 สีขาว', 'กาน้ำชาเซรามิก'],
    ['Chinese', '茶壶 茶具 北方1 手工', '宜兴紫砂茶壶'],
    ['Japanese', '東京 おもちゃ きた1 木製', '東京タワーの模型'],
    ['Korean', '주전자 주방 북쪽1 도자기', '찻주전자 세트'],
  ])('%s', async (_script, q, name) => {
    expect(await found(q)).toEqual([name]);
    expect(await found(q.split(' ').toReversed().join(' '))).toEqual([name]);
    for (const word of q.split(' ')) expect(await found(word)).toContain(name);
    // A word of another product: none has all.
    expect(await found(`${q} lighthouse`)).toEqual([]);
  });
});

describe('text is normalised where words have no spaces between them', () => {
  test.each([
    ['カメラ', 'ｶﾒﾗ用三脚'],
    ['ｶﾒﾗ', 'ｶﾒﾗ用三脚'],
    ['ガラス', 'ｶﾞﾗｽのﾎﾟｯﾄ'],
    ['ポット', 'ｶﾞﾗｽのﾎﾟｯﾄ'],
    ['がっき', 'がっき'],
    ['か\u3099っき', 'がっき'],
    ['한글', '한글 자판'],
    ['한글'.normalize('NFD'), '한글 자판'],
    ['자판'.normalize('NFD'), '한글 자판'],
    ['iphone', 'iPhone手机壳'],
    ['手机壳', 'iPhone手机壳'],
    ['iPhone手机', 'iPhone手机壳'],
    ['ＩＰＨＯＮＥ', 'iPhone手机壳'],
    ['手机 iphone', 'iPhone手机壳'],
    ['20', '数据线２０米'],
    ['２０米', '数据线２０米'],
    ['数据线20', '数据线２０米'],
    ['24色', '２４色のペン'],
    ['２４', '２４色のペン'],
    ['กาแฟ', 'กาแฟ2in1'],
    ['2in1', 'กาแฟ2in1'],
    ['กาแฟ2in', 'กาแฟ2in1'],
    ['fm วิทยุ', 'วิทยุ AM/FM'],
    ['株式会社', '㍿ミツワ'],
    ['㍿', '㍿ミツワ'],
  ])('%s', async (q, name) => expect(await found(q)).toEqual([name]));

  test.each([
    ['가나다', []],
    ['가나', ['가나 나다']],
    ['나다', ['가나 나다']],
    ['ดีมาก', []],
    ['ดีมา', ['ดีมา มาก']],
    ['มาก', ['ดีมา มาก']],
    ['京都市', []],
    ['都市', ['京都 都市']],
    ['東西口', []],
    ['西口', ['東西 西口']],
    ['전주', []],
    ['ชากา', []],
  ])('characters must be consecutive: %s', async (q, names) => expect(await found(q)).toEqual(names));
});

describe('letters of other alphabets are found by plain ones', () => {
  test.each([
    ['aero', 'Ærø lighthouse'],
    ['ÆRØ', 'Ærø lighthouse'],
    ['oeuvre', 'Œuvre complète'],
    ['œuvre complete', 'Œuvre complète'],
    ['lodz', 'Łódź poster'],
    ['ŁÓDŹ', 'Łódź poster'],
    ['da nang', 'Đà Nẵng coffee'],
    ['đa nẵng', 'Đà Nẵng coffee'],
    ['tordur', 'Þórður sweater'],
    ['þórður', 'Þórður sweater'],
    ['isafjordur', 'Ísafjörður eiðar'],
    ['eidar', 'Ísafjörður eiðar'],
    ['isik', 'ışık lamp'],
    ['ışık', 'ışık lamp'],
    ['izmir', 'İzmir figs'],
    ['İZMİR', 'İzmir figs'],
    ['i\u0307zmir', 'İzmir figs'],
    ['efficient filter', 'Eﬃcient ﬁlter'],
    ['ﬁlter', 'Eﬃcient ﬁlter'],
    ['smorrebrod', 'Smørrebrød board'],
  ])('%s', async (q, name) => expect(await found(q)).toEqual([name]));
});

describe('mistyped words are corrected', () => {
  test.each([
    ['Latin, one missing', 'hedphones', 'Wireless Headphones'],
    ['Latin, two swapped', 'haedphones', 'Wireless Headphones'],
    ['Latin, two wrong', 'heedphonas', 'Wireless Headphones'],
    ['Greek, one missing', 'καφετερα', 'Καφετιέρα ασημένια'],
    ['Greek, two swapped', 'κφαετιερα', 'Καφετιέρα ασημένια'],
    ['Greek, two wrong', 'κεφετιορα', 'Καφετιέρα ασημένια'],
    ['Cyrillic, one missing', 'серебрстый', 'Серебристый самовар'],
    ['Cyrillic, two swapped', 'смаовар', 'Серебристый самовар'],
    ['Cyrillic, two wrong', 'сиребристай', 'Серебристый самовар'],
    ['Arabic, one missing', 'مفرشات', 'سجادة حمراء'],
    ['Arabic, one wrong', 'سجاده', 'سجادة حمراء'],
    ['Arabic, two swapped', 'حرماء', 'سجادة حمراء'],
    ['Arabic, two wrong', 'مفروضاة', 'سجادة حمراء'],
    ['Hindi, one missing', 'नरंगी', 'नारंगी केतली'],
    ['Hindi, one wrong', 'केतलि', 'नारंगी केतली'],
    ['Hindi, two swapped', 'केलती', 'नारंगी केतली'],
    ['Hindi, two wrong', 'नीरंगा', 'नारंगी केतली'],
  ])('%s: %s', async (_what, q, name) => expect(await found(q)).toEqual([name]));

  test.each(['كرسى٣', 'मेझ३', 'つくた３', 'ＨＰ１ｚ', 'Tischlien3', 'h3adphones', 'самов٣р'])(
    'but not if they contain a digit: %s',
    async (q) => expect(await found(q)).toEqual([]),
  );

  test('what is not mistyped is found with the same digits', async () => {
    expect(await found('كرسي٣')).toEqual(['كرسي٣ خشبي']);
    expect(await found('मेज३')).toEqual(['मेज३ लकड़ी']);
    expect(await found('つくえ3')).toEqual(['つくえ３号']);
    expect(await found('tischlein３')).toEqual(['Tischlein3 Eiche']);
  });
});

describe('words that are too long for an index', () => {
  test.each([
    ['of 300 letters', 'x'.repeat(300), 'x'.repeat(200)],
    ['of 300 letters, by their beginning', 'y'.repeat(300), 'y'.repeat(150)],
    ['of 2,400 bytes', '\u{10428}'.repeat(600), '\u{10400}'.repeat(200)],
    ['that grow when they are normalised', 'ß'.repeat(300), 'ß'.repeat(150)],
    ['behind others', `short ${'z'.repeat(4000)}`, `short ${'z'.repeat(190)}`],
    ['of a script without spaces', '茶'.repeat(3000), '茶'.repeat(200)],
    ['of combining marks', `q${'\u093e'.repeat(3000)}`, `q${'\u093e'.repeat(199)}`],
  ])('are found by their first 200 characters: %s', async (what, description, q) => {
    const name = `Long word ${what}`;
    await createProduct(shop.app, { name, description });
    expect(await found(q)).toEqual([name]);
  });
});
