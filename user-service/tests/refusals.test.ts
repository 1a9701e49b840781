import { afterAll } from '@jest/globals';
import { describeRefusals, oneRequestEach } from '@shop/service-kit/testing/refusals';
import { startTestShop } from './support/test-shop.ts';
import { registerAdmin } from './support/user.factory.ts';

const shop = await startTestShop();
const limited = await shop.startReplica({ env: oneRequestEach(shop.app) });
afterAll(() => shop.close());

describeRefusals({
  app: shop.app,
  limited: limited.app,
  signIn: async () => (await registerAdmin(shop.app, shop.db)).bearer,
});
