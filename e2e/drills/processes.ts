import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, sleep, until } from '../support/process.ts';
import type { ServiceProcess } from '../support/stack.ts';
import { startDrillShop, underLoad } from './drill.shop.ts';
import { engineFolder, startEngine } from './engines.ts';

/** Milliseconds between two processes that are struck. */
const PAUSE = 500;

/**
 * Replicas behind HAProxy, which asks each for `/ready` four times a second. A replica is out when it refuses or is gone, not
 * when a busy machine takes long to respond: without `timeout check` a response after 250 ms counts as none.
 */
async function startBalancer(replicas: Record<string, string[]>) {
  const folder = await engineFolder('haproxy');
  const ports: Record<string, number> = {};
  const sections: string[] = [];
  for (const [name, urls] of Object.entries(replicas)) {
    ports[name] = await freePort();
    sections.push(
      `listen ${name}`,
      `  bind 127.0.0.1:${ports[name]}`,
      '  option httpchk GET /ready',
      ...urls.map((url, i) => `  server s${i} ${new URL(url).host} check inter 250ms fall 1 rise 1`),
    );
  }
  const file = join(folder.path, 'haproxy.cfg');
  const defaults = [
    'defaults',
    '  mode http',
    '  timeout connect 500ms',
    '  timeout client 10s',
    '  timeout server 10s',
    '  timeout check 5s',
    '  retries 3',
    '  option redispatch',
    '  retry-on conn-failure',
  ];
  await writeFile(file, `${[...defaults, ...sections].join('\n')}\n`);
  const engine = startEngine('haproxy', ['-db', '-f', file], folder.path);
  const urls = Object.fromEntries(
    Object.entries(ports).map(([name, port]) => [name, `http://127.0.0.1:${port}`]),
  );
  const respond = async () =>
    (await Promise.all(Object.values(urls).map((url) => fetch(`${url}/ready`)))).every(({ ok }) => ok);
  await until('the balancer finds its replicas', respond, 20_000);
  return {
    urls,
    async close() {
      await engine.stop();
      await folder.remove();
    },
  };
}

/** Two replicas of product-service and of order-service behind a balancer; each of them is struck, one after the other. */
async function strikeEach(strike: (replica: ServiceProcess) => Promise<void>) {
  const shop = await startDrillShop();
  const { product, order } = shop.stack;
  const closing = [shop.stack.close];
  try {
    const again = async (service: ServiceProcess) => {
      const replica = await service.replicate();
      closing.push(async () => void (await replica.stop()));
      return [service, replica];
    };
    const [products, orders] = [await again(product), await again(order)];
    const urlsOf = (replicas: ServiceProcess[]) => replicas.map(({ url }) => url);
    const balancer = await startBalancer({ products: urlsOf(products), orders: urlsOf(orders) });
    closing.push(balancer.close);
    for (const replica of orders)
      await replica.restart({ PRODUCT_SERVICE_URL: balancer.urls['products'] ?? '' });
    const replicas = [...products, ...orders];
    return await underLoad({
      shop,
      url: balancer.urls['orders'] ?? '',
      async strike() {
        for (const replica of replicas) {
          await strike(replica);
          await sleep(PAUSE);
        }
        return { faults: replicas.length };
      },
    });
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

/** A new release: each replica ends in order and starts again. */
export const rolling = () => strikeEach((replica) => replica.restart({}));

/** kill -9 of each replica; it starts again a moment later. */
export const kill = () =>
  strikeEach(async (replica) => {
    await replica.kill();
    await sleep(PAUSE);
    await replica.start();
  });
