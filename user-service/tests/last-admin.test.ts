import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { startTestShop, type TestShop } from './support/test-shop.ts';
import { type Registered, registerAdmin } from './support/user.factory.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
beforeEach(() => shop.db.user.updateMany({ data: { role: 'customer' } }));
afterAll(() => shop.close());

const admins = () => shop.db.user.count({ where: { role: 'admin' } });
const demote = (by: Registered, whom: Registered) =>
  request(shop.app)
    .put(`/api/users/${whom.user.id}/role`)
    .set('Authorization', by.bearer)
    .send({ role: 'customer' });
const remove = ({ user, bearer }: Registered) =>
  request(shop.app).delete(`/api/users/${user.id}`).set('Authorization', bearer);

describe('the last admin', () => {
  test('cannot be deleted; one of two can', async () => {
    const [first, second] = [await registerAdmin(shop.app, shop.db), await registerAdmin(shop.app, shop.db)];
    await remove(first).expect(200);
    const refused = await remove(second).expect(409);
    expect(refused.body.code).toBe('last_admin');
    expect(await admins()).toBe(1);
  });

  test('cannot be demoted by a former admin', async () => {
    const [first, second] = [await registerAdmin(shop.app, shop.db), await registerAdmin(shop.app, shop.db)];
    // The token of the second still says admin.
    await shop.db.user.update({ where: { id: second.user.id }, data: { role: 'customer' } });
    const refused = await demote(second, first).expect(409);
    expect(refused.body.code).toBe('last_admin');
    expect(await admins()).toBe(1);
  });

  test('remains when two admins demote or delete each other concurrently', async () => {
    for (let round = 0; round < 8; round += 1) {
      await shop.db.user.updateMany({ data: { role: 'customer' } });
      const [one, other] = [await registerAdmin(shop.app, shop.db), await registerAdmin(shop.app, shop.db)];
      await Promise.all([demote(one, other), round % 2 === 0 ? demote(other, one) : remove(one)]);
      expect(await admins()).toBe(1);
    }
  });
});
