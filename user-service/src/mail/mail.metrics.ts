import { Counter, type Registry } from 'prom-client';
import { MAIL_KINDS } from './mail.kinds.ts';

const RESULTS = ['sent', 'postponed', 'given_up'] as const;

export function createMailMetrics(registry: Registry) {
  const counted = new Counter({
    name: 'mails_total',
    help: 'Attempts to send an email by result: sent, postponed (will be retried), given_up',
    labelNames: ['kind', 'result'],
    registers: [registry],
  });
  // From the start, so that the first mail counts as an increase.
  for (const kind of MAIL_KINDS) for (const result of RESULTS) counted.inc({ kind, result }, 0);
  return counted;
}
