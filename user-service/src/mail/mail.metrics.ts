import { Counter, type Registry } from 'prom-client';

export function createMailMetrics(registry: Registry) {
  return new Counter({
    name: 'mails_total',
    help: 'Attempts to send an email by result: sent, postponed (will be retried), given_up',
    labelNames: ['kind', 'result'],
    registers: [registry],
  });
}
