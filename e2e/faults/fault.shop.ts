import { openSlowLink, type SlowLink, throughLink } from '@shop/service-kit/testing/slow-link';
import { Pool } from 'pg';
import { type OwnPostgres, startOwnPostgres } from '../support/postgres.ts';
import { type ServiceProcess, startStack } from '../support/stack.ts';
import { type Message, type Passage, startFaultProxy } from './fault.proxy.ts';

/** Everything a round needs: the two services, a database server for each, and a proxy in front of each. */
export interface FaultShop {
  readonly order: ServiceProcess;
  readonly product: ServiceProcess;
  readonly orderPostgres: OwnPostgres;
  readonly productPostgres: OwnPostgres;
  /** Between the services and their databases. */
  readonly orderLink: SlowLink;
  readonly productLink: SlowLink;
  /** Straight to the tables, past everything that is struck. */
  readonly orderDb: Pool;
  readonly productDb: Pool;
  /** Order-service behind its proxy. */
  readonly orderUrl: string;
  /** Straight to product-service. */
  readonly productUrl: string;
  /** Decides about every message from now on. */
  setGate(gate: Gate): void;
  close(): Promise<void>;
}

type Gate = (message: Message) => Promise<Passage>;

/** As the services run in production, only more impatient, so that a round takes seconds. */
const IMPATIENT = {
  PLACEMENT_DEADLINE: '2',
  RECONCILE_INTERVAL: '300',
  ANTI_ENTROPY_INTERVAL: '1000',
  HELD_TOO_LONG: '1',
  KEY_LEASE: '1',
  JOB_MAX_BACKOFF: '1',
  JOB_ABANDONED_AFTER: '2',
};

export async function startFaultShop(): Promise<FaultShop> {
  let gate: Gate = async () => 'pass';
  const onMessage = (message: Message) => gate(message);
  const orderPostgres = await startOwnPostgres();
  const productPostgres = await startOwnPostgres();
  const orderLink = await openSlowLink(portOf(orderPostgres.url));
  const productLink = await openSlowLink(portOf(productPostgres.url));
  const proxies: { close(): Promise<void> }[] = [];
  const proxyTo = async (target: string) => {
    const proxy = await startFaultProxy({ target, onMessage });
    proxies.push(proxy);
    return proxy.url;
  };
  const stack = await startStack({
    only: ['product-service', 'order-service'],
    postgresUrlOf: (service) =>
      service === 'order-service'
        ? throughLink(orderPostgres.url, orderLink)
        : throughLink(productPostgres.url, productLink),
    productUrl: (product) => proxyTo(product.url),
    env: IMPATIENT,
  });
  const { order, product } = stack;
  const orderUrl = await proxyTo(order.url);
  const orderDb = poolOf(order, orderPostgres);
  const productDb = poolOf(product, productPostgres);
  return {
    order,
    product,
    orderPostgres,
    productPostgres,
    orderLink,
    productLink,
    orderDb,
    productDb,
    orderUrl,
    productUrl: product.url,
    setGate(next) {
      gate = next;
    },
    async close() {
      await Promise.all([orderDb.end(), productDb.end()]);
      await stack.close();
      await Promise.all(proxies.map((proxy) => proxy.close()));
      for (const link of [orderLink, productLink]) link.close();
      await Promise.all([orderPostgres.close(), productPostgres.close()]);
    },
  };
}

const portOf = (url: string) => Number(new URL(url).port);

/** Past the link. */
function poolOf({ databaseUrl }: ServiceProcess, { url }: OwnPostgres): Pool {
  const connectionString = Object.assign(new URL(databaseUrl), { port: new URL(url).port }).toString();
  const pool = new Pool({ connectionString, max: 4, connectionTimeoutMillis: 3000 });
  pool.on('error', () => undefined).on('connect', (client) => client.on('error', () => undefined));
  return pool;
}
