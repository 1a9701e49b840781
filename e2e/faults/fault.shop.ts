import { openSlowLink, type SlowLink, throughLink } from '@shop/service-kit/testing/slow-link';
import { Pool } from 'pg';
import { type OwnPostgres, startOwnPostgres } from '../support/postgres.ts';
import { type ServiceProcess, startStack } from '../support/stack.ts';
import { createBatchCounter } from './batch.counter.ts';
import { type Message, type Passage, startFaultProxy } from './fault.proxy.ts';

/** The shop of a round: two replicas of each service, a database server for each service, and a proxy in front of it. */
export interface FaultShop {
  readonly orders: readonly ServiceProcess[];
  readonly products: readonly ServiceProcess[];
  readonly orderPostgres: OwnPostgres;
  readonly productPostgres: OwnPostgres;
  /** Between the services and their databases. */
  readonly orderLink: SlowLink;
  readonly productLink: SlowLink;
  /** Direct connections, past all proxies. */
  readonly orderDb: Pool;
  readonly productDb: Pool;
  /** The replicas of order-service behind their proxy. */
  readonly orderUrl: string;
  /** Addresses of the product-service replicas, without a proxy. */
  readonly productUrls: readonly string[];
  countLargeBatches(): Promise<number>;
  /** Decides about every message from now on. */
  setGate(gate: Gate): void;
  close(): Promise<void>;
}

type Gate = (message: Message) => Promise<Passage>;

/** The production settings with shorter intervals, so that a round takes seconds. */
const IMPATIENT = {
  TIME_LIMIT_FACTOR: '1',
  PLACEMENT_DEADLINE: '2',
  RECONCILE_INTERVAL: '300',
  ANTI_ENTROPY_INTERVAL: '1000',
  HELD_TOO_LONG: '1',
  KEY_LEASE: '2',
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
  const productUrls: string[] = [];
  const proxies: { close(): Promise<void> }[] = [];
  const proxyTo = async (targets: string[]) => {
    const proxy = await startFaultProxy({ targets, onMessage });
    proxies.push(proxy);
    return proxy.url;
  };
  const stack = await startStack({
    only: ['product-service', 'order-service'],
    postgresUrlOf: (service) =>
      service === 'order-service'
        ? throughLink(orderPostgres.url, orderLink)
        : throughLink(productPostgres.url, productLink),
    productUrl: (product) => {
      productUrls.push(product.url);
      return proxyTo(productUrls);
    },
    env: IMPATIENT,
  });
  const replicas = await Promise.all([stack.order.replicate(), stack.product.replicate()]);
  const orders = [stack.order, replicas[0]];
  const products = [stack.product, replicas[1]];
  productUrls.push(replicas[1].url);
  const orderUrl = await proxyTo(orders.map(({ url }) => url));
  const orderDb = poolOf(stack.order, orderPostgres);
  const productDb = poolOf(stack.product, productPostgres);
  return {
    orders,
    products,
    orderPostgres,
    productPostgres,
    orderLink,
    productLink,
    orderDb,
    productDb,
    orderUrl,
    productUrls,
    ...createBatchCounter(orders),
    setGate(next) {
      gate = next;
    },
    async close() {
      await Promise.all([orderDb.end(), productDb.end()]);
      await Promise.all(replicas.map((replica) => replica.stop()));
      await stack.close();
      await Promise.all(proxies.map((proxy) => proxy.close()));
      for (const link of [orderLink, productLink]) link.close();
      await Promise.all([orderPostgres.close(), productPostgres.close()]);
    },
  };
}

const portOf = (url: string) => Number(new URL(url).port);

/** A direct connection, without the link. */
function poolOf({ databaseUrl }: ServiceProcess, { url }: OwnPostgres): Pool {
  const connectionString = Object.assign(new URL(databaseUrl), { port: new URL(url).port }).toString();
  const pool = new Pool({ connectionString, max: 4, connectionTimeoutMillis: 3000 });
  pool.on('error', () => undefined).on('connect', (client) => client.on('error', () => undefined));
  return pool;
}
