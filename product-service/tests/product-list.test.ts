import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bearer } from '@shop/service-kit/testing/test-tokens';
import request from 'supertest';
import { createProduct, type ProductJson } from './support/product.factory.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
let products: ProductJson[];

/** Twelve products, some with equal prices, names and categories, so that every sort order has ties. */
beforeAll(async () => {
  shop = await startTestShop();
  products = [];
  for (let i = 0; i < 12; i += 1) {
    const product = await createProduct(
      shop.app,
      {
        name: ['Zebra', 'apple', '\u65e5\u672c\u8a9e'.repeat(60), 'Mango "quoted"'][i % 4],
        price: [10, 20, 15.5][i % 3],
        stock: i % 5 === 0 ? 0 : i,
        category: i % 2 === 0 ? 'Audio' : 'Café & Bar',
      },
      bearer(i < 9 ? 70 : 71),
    );
    products.push(product);
  }
});
afterAll(() => shop.close());

const list = (query: string) => request(shop.app).get(`/api/products${query}`);
const idsOf = (rows: ProductJson[]) => rows.map(({ id }) => id);
const found = async (query: string) => idsOf((await list(query).expect(200)).body.products);
const idsWhere = (holds: (product: ProductJson) => boolean) => idsOf(products.filter(holds));

describe('GET /api/products', () => {
  test('returns pages', async () => {
    const all = idsOf(products);
    const second = await list('?page=2&per_page=5').expect(200);
    expect(idsOf(second.body.products)).toEqual(all.slice(5, 10));
    expect(second.body).toMatchObject({ total: 12, page: 2, pages: 3, per_page: 5 });
    const last = await list('?page=3&per_page=5').expect(200);
    expect(last.body).toMatchObject({ page: 3, next_cursor: null });
    const beyond = await list('?page=9&per_page=5').expect(200);
    expect(beyond.body).toMatchObject({ products: [], total: 12, next_cursor: null });
  });

  test('filters by each field', async () => {
    expect(await found('?category=Audio')).toEqual(idsWhere(({ category }) => category === 'Audio'));
    expect(await found(`?category=${encodeURIComponent('Café & Bar')}`)).toHaveLength(6);
    expect(await found('?min_price=15.5')).toEqual(idsWhere(({ price }) => price >= 15.5));
    expect(await found('?max_price=15.5')).toEqual(idsWhere(({ price }) => price <= 15.5));
    expect(await found('?in_stock=true')).toEqual(idsWhere(({ stock }) => stock > 0));
    expect(await found('?in_stock=false')).toEqual(idsWhere(({ stock }) => stock === 0));
    expect(await found('?owner_id=71')).toEqual(idsWhere(({ owner_id }) => owner_id === 71));
    expect(await found('?category=nothing')).toEqual([]);
  });

  test('combines filters', async () => {
    const query = '?category=Audio&min_price=10&max_price=15.5&in_stock=true&owner_id=70';
    const response = await list(query).expect(200);
    const expected = idsWhere(
      ({ category, price, stock, owner_id }) =>
        category === 'Audio' && price <= 15.5 && stock > 0 && owner_id === 70,
    );
    expect(expected.length).toBeGreaterThan(0);
    expect(idsOf(response.body.products)).toEqual(expected);
    expect(response.body.total).toBe(expected.length);
  });

  test('accepts the query of the original README', async () => {
    await list('?page=1&per_page=20&category=Electronics&min_price=100&max_price=2000').expect(200);
  });

  test.each(['id', 'price', 'name', 'created_at'])('sorts by %s, both ways', async (sort) => {
    const up: ProductJson[] = (await list(`?sort=${sort}`).expect(200)).body.products;
    const down: ProductJson[] = (await list(`?sort=-${sort}`).expect(200)).body.products;
    expect(idsOf(down)).toEqual(idsOf(up).reverse());
    expect(up).toHaveLength(12);
    if (sort !== 'name') {
      const values = up.map((product) => product[sort as 'id']);
      expect(values).toEqual([...values].sort((a, b) => (a < b ? -1 : Number(a > b))));
    }
  });

  test.each(['id', '-id', 'price', '-price', 'name', '-name', 'created_at', '-created_at'])(
    'a cursor walks all products by %s once',
    async (sort) => {
      const whole = await found(`?sort=${sort}`);
      const walked: number[] = [];
      let cursor: string | null = null;
      do {
        const place: string = cursor === null ? '' : `&cursor=${cursor}`;
        const { body } = await list(`?sort=${sort}&per_page=5${place}`).expect(200);
        expect(body).toMatchObject({ total: 12, pages: 3, per_page: 5 });
        walked.push(...idsOf(body.products));
        cursor = body.next_cursor;
      } while (cursor !== null);
      expect(walked).toEqual(whole);
    },
  );

  test('a page by cursor has no number', async () => {
    const first = await list('?per_page=5').expect(200);
    const next = await list(`?per_page=5&cursor=${first.body.next_cursor}`).expect(200);
    expect(next.body.page).toBeNull();
  });

  test('a cursor is stable while products are added and deleted', async () => {
    const first = await list('?sort=-id&per_page=5').expect(200);
    const extra = await createProduct(shop.app);
    const next = await found(`?sort=-id&per_page=5&cursor=${first.body.next_cursor}`);
    expect(next).toEqual(idsOf(products).reverse().slice(5, 10));
    await request(shop.app)
      .delete(`/api/products/${extra.id}`)
      .set('Authorization', bearer(1, 'admin'))
      .expect(200);
  });

  test('refuses a cursor of another sort order, and an invented one', async () => {
    const { body } = await list('?sort=price&per_page=1').expect(200);
    const own = (key: unknown) => Buffer.from(JSON.stringify(key)).toString('base64url');
    const foreign = [
      `?sort=-price&cursor=${body.next_cursor}`,
      `?cursor=${body.next_cursor}`,
      `?sort=name&cursor=${own(['name', '\u0000', 1])}`,
      `?sort=name&cursor=${own(['name', '\ud800', 1])}`,
      `?sort=created_at&cursor=${own(['created_at', 8.64e15, 1])}`,
      `?sort=price&cursor=${own(['price', '1; DROP TABLE products', 1])}`,
      ...[0, 1.5, 2 ** 31].map((id) => `?sort=id&cursor=${own(['id', 1, id])}`),
      `?sort=price&cursor=${own(['price', 1e-300, 1])}`,
      ...[1e-300, 0, 21, 1.5].map((tier) => `?q=lamp&cursor=${own(['relevance', tier, 1])}`),
      '?cursor=nonsense',
      '?cursor=',
    ];
    for (const query of foreign) await list(query).expect(400);
    await list(`?sort=id&cursor=${own(['id', Number.MAX_SAFE_INTEGER, 1])}`).expect(200);
  });

  test('returns products by id in the requested order', async () => {
    const [a = 0, b = 0, c = 0] = idsOf(products);
    expect(await found(`?ids=${c},${a},2147483647,${b},${a}`)).toEqual([c, a, b]);
    expect(await found(`?ids=${c},${a},${b}&sort=id`)).toEqual([a, b, c]);
    const first = await list(`?ids=${c},${a},${b}&per_page=2`).expect(200);
    expect(idsOf(first.body.products)).toEqual([c, a]);
    expect(await found(`?ids=${c},${a},${b}&per_page=2&cursor=${first.body.next_cursor}`)).toEqual([b]);
  });

  test('returns up to 100 ids on one page', async () => {
    const hundred = Array.from({ length: 100 }, (_, i) => i + 1);
    const response = await list(`?ids=${hundred.join(',')}`).expect(200);
    expect(response.body).toMatchObject({ total: 12, pages: 1, per_page: 100 });
    await list(`?ids=${[...hundred, 101].join(',')}`).expect(400);
  });

  test.each([
    'page=0',
    'page=-1',
    'page=1e15',
    'page=1000000000000000',
    'page=',
    'page=1.5',
    'per_page=0',
    'per_page=101',
    'page=501',
    'page=1&cursor=abc',
    'page=1&page=2',
    'sort=foo',
    'sort=relevance',
    'sort=',
    'in_stock=maybe',
    'min_price=-1',
    'min_price=abc',
    'min_price=1e3',
    'min_price=1.999',
    'min_price=5&max_price=4.99',
    'owner_id=0',
    'owner_id=2147483648',
    'ids=',
    'ids=1,,2',
    'ids=0',
    'ids=abc',
    'ids=4294967296',
    'category=',
    `category=${'c'.repeat(101)}`,
    'category=%00',
  ])('refuses ?%s', async (query) => {
    const refused = await list(`?${query}`).expect(400);
    expect(refused.body.request_id).toEqual(expect.any(String));
  });

  test('recommends the cursor if a page is too deep', async () => {
    const refused = await list('?page=101&per_page=100').expect(400);
    expect(refused.body.error).toContain('cursor');
    await list('?page=100&per_page=100').expect(200);
  });

  test('refuses unknown parameters by name', async () => {
    const { body } = await list('?utm_source=mail').expect(400);
    expect(body.errors).toEqual(['Unknown query parameter: utm_source']);
  });

  test('returns 304 to a client that has the same list', async () => {
    const first = await list('?category=Audio').expect(200);
    await list('?category=Audio')
      .set('If-None-Match', first.headers['etag'] ?? '')
      .expect(304);
  });
});

describe('GET /api/products/categories', () => {
  const categories = (query = '') => request(shop.app).get(`/api/products/categories${query}`);

  test('lists them sorted, with counts on request', async () => {
    expect((await categories().expect(200)).body).toEqual({ categories: ['Audio', 'Café & Bar'] });
    expect((await categories('?counts=true').expect(200)).body).toEqual({
      categories: ['Audio', 'Café & Bar'],
      counts: { Audio: 6, 'Café & Bar': 6 },
    });
  });

  test('counts a category with any name', async () => {
    const { id } = await createProduct(shop.app, { category: '__proto__' }, bearer(1, 'admin'));
    const response = await categories('?counts=true').expect(200);
    expect(Object.entries(response.body.counts)).toContainEqual(['__proto__', 1]);
    await request(shop.app)
      .delete(`/api/products/${id}`)
      .set('Authorization', bearer(1, 'admin'))
      .expect(200);
    expect((await categories().expect(200)).body.categories).toEqual(['Audio', 'Café & Bar']);
  });

  test('returns 304 to a client that has the same, and refuses an unknown value', async () => {
    const first = await categories().expect(200);
    await categories()
      .set('If-None-Match', first.headers['etag'] ?? '')
      .expect(304);
    await categories('?counts=yes').expect(400);
  });
});
