import { Gauge, type Registry } from 'prom-client';
import { type Checks, runChecks } from './health.ts';

/** The checks of `GET /ready` as a gauge; they run whenever the metrics are read. */
export function registerDependencyMetrics(registry: Registry, checks: Checks): void {
  new Gauge({
    name: 'dependency_up',
    help: '1 while the dependency can be used, 0 while it cannot',
    labelNames: ['dependency'],
    registers: [registry],
    async collect() {
      for (const [dependency, state] of Object.entries(await runChecks(checks)))
        this.set({ dependency }, state === 'ok' ? 1 : 0);
    },
  });
}
