import { afterAll } from '@jest/globals';
import { describeRefusals, oneRequestEach } from '@shop/service-kit/testing/refusals';
import { bearer } from '@shop/service-kit/testing/test-tokens';
import { startTestShop } from './support/test-shop.ts';

const shop = await startTestShop({ env: { IMPORT_MAX_BYTES: '1000' } });
const limited = await shop.startReplica({ env: oneRequestEach(shop.app) });
afterAll(() => shop.close());

describeRefusals({ app: shop.app, limited: limited.app, signIn: () => bearer(1, 'admin') });
