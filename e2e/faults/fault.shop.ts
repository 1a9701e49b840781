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
  const proxies: { close(): Promise<void> }[] = [];
  const proxyTo = async (target: string) => {
    const proxy = await startFaultProxy({ target, onMessage });
    proxies.push(proxy);
    return proxy.url;
  };
  const stack = await startStack({
    only: ['product-service', 'order-service'],
    postgresUrlOf: (service) => (service === 'order-service' ? orderPostgres : productPostgres).url,
    productUrl: (product) => proxyTo(product.url),
    env: IMPATIENT,
  });
  const { order, product } = stack;
  const orderUrl = await proxyTo(order.url);
  const orderDb = poolOf(order);
  const productDb = poolOf(product);
  return {
    order,
    product,
    orderPostgres,
    productPostgres,
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
      await Promise.all([orderPostgres.close(), productPostgres.close()]);
    },
  };
}

function poolOf({ databaseUrl }: ServiceProcess): Pool {
  const pool = new Pool({ connectionString: databaseUrl, max: 4, connectionTimeoutMillis: 3000 });
  pool.on('error', () => undefined).on('connect', (client) => client.on('error', () => undefined));
  return pool;
}
