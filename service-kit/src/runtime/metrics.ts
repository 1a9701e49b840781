import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** What the process was built from; the images set both. */
interface Build {
  BUILD_VERSION?: string | undefined;
  BUILD_REVISION?: string | undefined;
}

/** The metrics of every service; features add their own to `registry`. */
export function createMetrics(
  service: string,
  { BUILD_VERSION: version = 'unknown', BUILD_REVISION: revision = 'unknown' }: Build = {},
) {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  new Gauge({
    name: 'build_info',
    help: 'Always 1; the labels say what this process was built from and which Node.js runs it',
    labelNames: ['version', 'revision', 'node'],
    registers,
  }).set({ version, revision, node: process.versions.node }, 1);
  return {
    registry,
    requests: new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time from the request line to the last byte of the response',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers,
    }),
    cacheReads: new Counter({
      name: 'cache_reads_total',
      help: 'Reads through a cache: from memory, redis or a shared read; a miss; or loaded alone while Redis is unavailable',
      labelNames: ['cache', 'result'],
      registers,
    }),
    cacheLoads: new Counter({
      name: 'cache_loads_total',
      help: 'Loads from the database through a cache',
      labelNames: ['cache'],
      registers,
    }),
    degraded: new Counter({
      name: 'redis_degraded_total',
      help: 'How often a feature continued without Redis',
      labelNames: ['feature'],
      registers,
    }),
    rejections: new Counter({
      name: 'requests_rejected_total',
      help: 'Requests refused with 429 by a rate limit',
      labelNames: ['limit'],
      registers,
    }),
    outboundCalls: new Histogram({
      name: 'outbound_call_duration_seconds',
      help: 'Calls to other services by result: ok, refused (4xx), failed (5xx), timeout, unreachable',
      labelNames: ['target', 'result'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers,
    }),
  };
}

export type Metrics = ReturnType<typeof createMetrics>;
