import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startOtlpReceiver } from '@shop/service-kit/testing/otlp-receiver';
import { addProducts, tokenOf } from './support/catalogue.ts';
import { call } from './support/http.ts';
import { describeWithNginx, type Gateway, startGateway } from './support/nginx.ts';
import { until } from './support/process.ts';
import { type Stack, startStack } from './support/stack.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const MODULES = fileURLToPath(new URL('support/loaded-modules.cjs', import.meta.url));

describeWithNginx('an order', () => {
  let receiver: Awaited<ReturnType<typeof startOtlpReceiver>>;
  let stack: Stack;
  let gateway: Gateway;
  beforeAll(async () => {
    receiver = await startOtlpReceiver();
    stack = await startStack({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url } });
    const { user, product, order } = stack;
    const at = ({ url }: { url: string }) => [new URL(url).host];
    gateway = await startGateway({
      services: { 'user-service': at(user), 'product-service': at(product), 'order-service': at(order) },
    });
  });
  afterAll(async () => {
    await gateway?.close();
    await stack?.close();
    await receiver?.close();
  });

  const spansOf = (traceId: string) => receiver.spans.filter((span) => span.traceId === traceId);
  const place = async (products: number[], user: number, traceId: string) => {
    const body = { products: products.map((product_id) => ({ product_id, quantity: 1 })) };
    const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
    const placed = await call('POST', `${gateway.url}/api/orders`, body, { token: tokenOf(user), headers });
    expect(placed.status).toBe(201);
    return Number(placed.body['order']?.['id']);
  };

  test('is one trace through gateway, services, databases and job', async () => {
    const products = await addProducts(stack.product.databaseUrl, 2, 5);
    const id = await place(products, 1, TRACE);
    await until('the job has run', async () => {
      const names = spansOf(TRACE).map(({ name }) => name);
      return names.includes('job confirm_reservations') && names.includes('POST /api/orders');
    });
    await until('all is exported', async () => receiver.treeOf(TRACE).length >= 14);
    expect(receiver.treeOf(TRACE)).toEqual([
      'gateway: POST /api/orders',
      '  order-service: POST /api/orders',
      '    order-service: intent',
      '      order-service: INSERT idempotency_keys',
      '    order-service: reserve',
      '      order-service: POST product-service',
      '        product-service: POST /internal/reservations',
      '          product-service: SELECT reserve_baskets',
      '    order-service: place',
      '      order-service: UPDATE orders',
      '    order-service: job confirm_reservations',
      '      order-service: confirm',
      '        order-service: POST product-service',
      '          product-service: POST /internal/reservations/confirm',
      '            product-service: UPDATE reservations',
    ]);
    const databases = spansOf(TRACE).flatMap(({ service, attributes }) => {
      const database = attributes['db.namespace'];
      return database === undefined ? [] : [`${service} ${String(database).replace(/_[0-9a-f]+$/, '')}`];
    });
    expect(new Set(databases)).toEqual(new Set(['order-service e2e_order', 'product-service e2e_product']));
    const [server] = spansOf(TRACE).filter(({ service, kind }) => service === 'order-service' && kind === 2);
    expect(server?.attributes).toMatchObject({ order_id: id, 'http.response.status_code': 201 });
  });

  test('that shared its steps with others is linked to where they were taken', async () => {
    const [product = 0] = await addProducts(stack.product.databaseUrl, 1, 100);
    const traces = Array.from({ length: 8 }, (_, n) => String(n + 1).repeat(32));
    await Promise.all(traces.map((traceId, user) => place([product], user + 1, traceId)));
    const all = () => traces.flatMap(spansOf);
    await until('all is exported', async () => {
      const steps = all().filter(({ name }) => ['intent', 'reserve', 'place'].includes(name));
      return steps.length >= 3 * traces.length;
    });
    // Each trace has its steps; the work of a step is in its own trace or in the one that it is linked to.
    for (const traceId of traces) {
      const [step] = spansOf(traceId).filter(({ name }) => name === 'reserve');
      const work = step?.links[0]?.spanId ?? step?.spanId;
      const calls = () =>
        all().filter((span) => span.name === 'POST product-service' && span.parentSpanId === work);
      await until('its work is exported', async () => calls().length === 1);
    }
  });
});

test('nothing of it is loaded where there is no receiver', async () => {
  const loaded = async (env: Record<string, string>) => {
    const stack = await startStack({
      only: ['product-service'],
      env: { NODE_OPTIONS: `--require ${MODULES}`, ...env },
    });
    const { process } = stack.product;
    await stack.close();
    return Number(process.output().match(/tracing modules: (\d+)/)?.[1]);
  };
  expect(await loaded({})).toBe(0);
  expect(await loaded({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' })).toBeGreaterThan(0);
});
