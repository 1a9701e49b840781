import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { addProducts, tokenOf } from './support/catalogue.ts';
import { call } from './support/http.ts';
import { until } from './support/process.ts';
import { hasPrometheus, OBSERVABILITY, startPrometheus } from './support/prometheus.ts';
import { type Stack, startStack, testServer } from './support/stack.ts';

if (!hasPrometheus)
  console.warn('SKIPPED: alerts and dashboard, because there is no Prometheus here (apt install prometheus)');

interface Dashboard {
  panels: { title: string; targets: { expr: string }[] }[];
}
const dashboard: Dashboard = JSON.parse(
  readFileSync(join(OBSERVABILITY, 'grafana/dashboards/shop.json'), 'utf8'),
);
const queries = dashboard.panels.flatMap(({ title, targets }) =>
  targets.map(({ expr }): [string, string] => [title, expr.replaceAll('$__rate_interval', '1m')]),
);

(hasPrometheus ? describe : describe.skip)('a live Prometheus', () => {
  let stack: Stack;
  let prometheus: Awaited<ReturnType<typeof startPrometheus>>;
  beforeAll(async () => {
    stack = await startStack({
      redisUrl: testServer('TEST_REDIS_URL'),
      env: { RATE_LIMIT_ENABLED: 'true' },
    });
    const { user, product, order } = stack;
    const at = ({ url }: { url: string }) => [new URL(url).host];
    const targets = { 'user-service': at(user), 'product-service': at(product), 'order-service': at(order) };
    prometheus = await startPrometheus(targets);
    const [id] = await addProducts(product.databaseUrl, 1, 100);
    const body = { products: [{ product_id: id, quantity: 1 }] };
    const place = () => call('POST', `${order.url}/api/orders`, body, { token: tokenOf(1) });
    const use = () => Promise.all([place(), place(), call('GET', `${product.url}/api/products`)]);
    await use();
    await until('all is read twice', async () => {
      await use();
      const seen = await prometheus.query('sum(increase(order_placements_total{outcome="placed"}[1m])) > 1');
      return seen.length > 0;
    });
  });
  afterAll(async () => {
    await prometheus?.close();
    await stack?.close();
  });

  test.each(queries)('shows something in "%s": %s', async (_title, query) => {
    await until(`${query} finds something`, async () => (await prometheus.query(query)).length > 0);
  });

  test('evaluates every alert, of metrics that the services have, and none fires', async () => {
    const rules = await prometheus.rules();
    expect(rules.map(({ health }) => health)).toEqual(rules.map(() => 'ok'));
    const names = new Set(await prometheus.names());
    const wanted = rules.flatMap(({ query }) => query.match(/\b[a-z]+(_[a-z0-9]+)+\b(?=[{[)\s])/g) ?? []);
    const known = wanted.filter((name) => !/^(histogram_quantile|max_over_time)$/.test(name));
    expect(known.length).toBeGreaterThan(15);
    expect([...new Set(known)].filter((name) => !names.has(name))).toEqual([]);
    expect(await prometheus.query('ALERTS{alertstate="firing"}')).toEqual([]);
  });
});

(hasPrometheus ? test : test.skip)('promtool accepts the configuration, the rules and their tests', () => {
  const cwd = join(OBSERVABILITY, 'prometheus');
  const promtool = (...args: string[]) => execFileSync('promtool', args, { cwd, encoding: 'utf8' });
  expect(promtool('check', 'config', 'prometheus.yml')).toContain('is valid');
  expect(promtool('check', 'rules', 'alerts.yml')).toContain('SUCCESS');
  expect(promtool('test', 'rules', 'alerts.test.yml')).toContain('SUCCESS');
});

test('every alert has a test and is explained in docs/operations.md', () => {
  const read = (path: string) => readFileSync(join(OBSERVABILITY, path), 'utf8');
  const alerts = [...read('prometheus/alerts.yml').matchAll(/- alert: (\w+)/g)].map(([, name]) => name ?? '');
  const tests = read('prometheus/alerts.test.yml');
  const runbook = read('../../docs/operations.md');
  expect(alerts.filter((name) => !tests.includes(`alertname: ${name}\n`))).toEqual([]);
  expect(alerts.filter((name) => !runbook.includes(`### ${name}\n`))).toEqual([]);
});
