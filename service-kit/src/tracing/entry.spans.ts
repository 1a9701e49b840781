import type { IncomingHttpHeaders } from 'node:http';
import type { Route } from '../http/define-route.ts';
import { forwardedSpan, type Span, type Tracer, traceOf } from './span.ts';

/** Set by the gateway: `t=` and seconds since 1970. */
const GATEWAY_TIME = /^t=(\d{1,12}(?:\.\d{1,6})?)$/;
/** The gateway gives up after 15 s; an older time is a wrong clock. Milliseconds. */
const MAX_AGE = 60_000;
/** Traces that a job is linked to: as many as there are orders in a batch. */
const MAX_PARENTS = 100;

/** The span of a request, undefined where it belongs to no trace. A call between services never begins one. */
export function spanOfRequest(
  tracer: Tracer | undefined,
  { method, path, who }: Pick<Route, 'method' | 'path' | 'who'>,
  headers: IncomingHttpHeaders,
): Span | undefined {
  const trace = traceOf(headers);
  if (tracer === undefined) return trace && forwardedSpan(trace);
  if (trace === undefined && who === 'service') return undefined;
  return tracer.start(`${method.toUpperCase()} ${path}`, {
    kind: 'server',
    parents: trace === undefined ? [] : [trace],
    attributes: { 'http.request.method': method.toUpperCase(), 'http.route': path },
    atGateway: who === 'service' ? undefined : gatewayTimeOf(headers['x-request-start']),
  });
}

function gatewayTimeOf(header: unknown): number | undefined {
  const [, seconds] = (typeof header === 'string' && GATEWAY_TIME.exec(header)) || [];
  if (seconds === undefined) return undefined;
  const now = Date.now();
  const time = Math.min(Number(seconds) * 1000, now);
  return now - time > MAX_AGE ? undefined : time;
}

/** The span of a job, in the traces that its payload names in `traceparent` or `traceparents`. */
export function spanOfJob(tracer: Tracer | undefined, task: string, payload: unknown): Span | undefined {
  const { traceparent, traceparents } = (payload ?? {}) as Record<string, unknown>;
  const named = Array.isArray(traceparents) ? traceparents.slice(0, MAX_PARENTS) : [traceparent];
  const parents = named.flatMap((value) => traceOf({ traceparent: value }) ?? []);
  if (tracer !== undefined)
    return tracer.start(`job ${task}`, { kind: 'consumer', parents, attributes: { 'job.task': task } });
  const [only, ...others] = parents;
  return only === undefined || others.length > 0 ? undefined : forwardedSpan(only);
}
