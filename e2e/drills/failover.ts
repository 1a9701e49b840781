import { sleep } from '../support/process.ts';
import type { ServiceName } from '../support/service-database.ts';
import { testServer } from '../support/stack.ts';
import { closing, startDrillShop, underLoad } from './drill.shop.ts';
import { startPostgresPair } from './postgres.pair.ts';
import { ask } from './postgres.server.ts';

/** Milliseconds until somebody, or Patroni, has noticed. */
const NOTICED_AFTER = 1000;
/** Milliseconds that the primary waits in vain for its standby. */
const WAITED_IN_VAIN = 4000;
/** Of the role of each service; docs/high-availability.md has 60, for three replicas. */
const CONNECTIONS = 25;

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

/** The synchronous standby is killed: commits wait for it until the primary no longer requires a standby. */
export async function failoverStandby() {
  const pair = await startPostgresPair();
  const shop = await startDrillShop({ postgresUrlOf: () => pair.urls[0] }).catch(closing(pair.close));
  const roles = [shop.stack.product, shop.stack.order].map(({ serviceUrl }) => new URL(serviceUrl).username);
  const backends = `SELECT max(count)::int AS most FROM (
    SELECT count(*) FROM pg_stat_activity WHERE usename IN ('${roles.join("', '")}') GROUP BY usename) AS it`;
  try {
    for (const role of roles) await ask(pair.urls[0], `ALTER ROLE ${role} CONNECTION LIMIT ${CONNECTIONS}`);
    return await underLoad({
      shop,
      async strike() {
        await pair.killStandby();
        let most = 0;
        for (let waited = 0; waited < WAITED_IN_VAIN; waited += 200) {
          most = Math.max(most, Number((await ask(pair.urls[0], backends))[0]?.['most']));
          await sleep(200);
        }
        await pair.stopWaitingForStandby();
        return {
          faults: 1,
          notes: [`at most ${most} backends of one role, CONNECTION LIMIT ${CONNECTIONS}`],
        };
      },
    });
  } finally {
    await shop.stack.close();
    await pair.close();
  }
}
