import { sleep } from '../../e2e/support/process.ts';
import { type ServiceName, testServer } from '../../e2e/support/stack.ts';
import { startDrillShop, underLoad } from './drill.shop.ts';
import { startPostgresPair } from './postgres.pair.ts';

/** Milliseconds until somebody, or Patroni, has noticed. */
const NOTICED_AFTER = 1000;
/** The primary of one service is killed, its standby is promoted; the service finds it by itself. */
export async function failover(service: ServiceName) {
  const pair = await startPostgresPair();
  const own = testServer('TEST_DATABASE_URL');
  const shop = await startDrillShop({
    postgresUrlOf: (name) => (name === service ? pair.urls[0] : own),
    envOf: async (name, url) => (name === service ? { DATABASE_URL: pair.throughBoth(url) } : {}),
  }).catch(closing(pair.close));
  const moved = (url: string) => url.replace(/@[^/]+/, `@${new URL(pair.urls[1]).host}`);
  const databases = () => ({
    order: service === 'order-service' ? moved(shop.databases.order) : shop.databases.order,
    product: service === 'product-service' ? moved(shop.databases.product) : shop.databases.product,
  });
  try {
    return await underLoad({
      shop,
      databases,
      async strike() {
        await pair.killPrimary();
        await sleep(NOTICED_AFTER);
        await pair.promote();
        return { faults: 1 };
      },
    });
  } finally {
    await shop.stack.close().catch(() => undefined); // One of the databases cannot be dropped where it was made.
    await pair.close();
  }
}

const closing = (close: () => Promise<void>) => async (error: unknown) => {
  await close();
  throw error;
};
