import { afterAll } from '@jest/globals';
import { describeRefusals, oneRequestEach } from '@shop/service-kit/testing/refusals';
import { bearer } from '@shop/service-kit/testing/test-tokens';
import { startTestShop } from './support/test-shop.ts';

const shop = await startTestShop();
const limited = await startTestShop(oneRequestEach(shop.app));
afterAll(() => Promise.all([shop.close(), limited.close()]));

describeRefusals({ app: shop.app, limited: limited.app, signIn: () => bearer(1, 'admin') });
