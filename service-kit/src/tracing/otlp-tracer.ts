import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  createTraceState,
  DiagLogLevel,
  diag,
  type Attributes as OtelAttributes,
  SpanKind as OtelKind,
  type Span as OtelSpan,
  type Tracer as OtelTracer,
  ROOT_CONTEXT,
  type SpanContext,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';
import type { Attributes, Span, SpanKind, TraceHeaders, Tracer } from './span.ts';

export interface TracerOptions {
  service: string;
  version: string | undefined;
  /** Base address of an OTLP/HTTP receiver. */
  endpoint: string;
  /** `name=value`, separated by commas, with percent-encoded values. */
  headers: string;
  /** Share of the traces begun here that are recorded, 0 to 1. */
  ratio: number;
  logger: Logger;
}

const KINDS: Record<SpanKind, OtelKind> = {
  internal: OtelKind.INTERNAL,
  server: OtelKind.SERVER,
  client: OtelKind.CLIENT,
  consumer: OtelKind.CONSUMER,
};
/** Characters of a statement that are exported. */
const MAX_ATTRIBUTE = 2000;
const MAX_REASON = 300;
/** Spans that wait for a receiver that is slow or unavailable; later ones are dropped. About 10 MB. */
const MAX_WAITING = 8192;
/** Milliseconds. */
const EXPORT_EVERY = 1000;
const EXPORT_TIMEOUT = 5000;
const CLOSE_TIMEOUT = 2000;

/** Exports spans by OTLP over HTTP. A receiver that is unavailable costs a line in the log, never a request. */
export function openTracer({ service, version, endpoint, headers, ratio, logger }: TracerOptions): Tracer {
  const warn = (message: string) => logger.warn({ reason: message.slice(0, MAX_REASON) }, 'traces');
  const ignore = () => undefined;
  diag.setLogger(
    { error: warn, warn, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
    headers: headersIn(headers),
    timeoutMillis: EXPORT_TIMEOUT,
  });
  const processor = new BatchSpanProcessor({
    exporter,
    maxQueueSize: MAX_WAITING,
    scheduledDelayMillis: EXPORT_EVERY,
    exportTimeoutMillis: EXPORT_TIMEOUT,
  });
  const sampler = new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) });
  const tracerOf = (attributes: Attributes) =>
    new TracerProvider({
      sampler,
      spanProcessors: [processor],
      resource: resourceFromAttributes(attributes as OtelAttributes),
      spanLimits: { attributeValueLengthLimit: MAX_ATTRIBUTE },
    }).getTracer('shop');
  const own = tracerOf({ 'service.name': service, 'service.version': version, 'host.name': hostname() });
  const gateway = tracerOf({ 'service.name': 'gateway' });

  return {
    start(name, { kind, parents, attributes, atGateway }) {
      const [parent, ...others] = parents;
      const isContinued = parent !== undefined && others.length === 0;
      const around = isContinued ? trace.setSpanContext(ROOT_CONTEXT, contextOf(parent)) : ROOT_CONTEXT;
      const outer =
        atGateway === undefined
          ? undefined
          : gateway.startSpan(
              name,
              {
                kind: OtelKind.SERVER,
                startTime: atGateway,
                attributes: attributes as OtelAttributes,
              },
              around,
            );
      const links = isContinued ? [] : parents.map((headers) => ({ context: contextOf(headers) }));
      const inside = outer === undefined ? around : trace.setSpan(around, outer);
      const span = own.startSpan(
        name,
        { kind: KINDS[kind], attributes: attributes as OtelAttributes, links },
        inside,
      );
      return toSpan(own, span, outer);
    },
    async close() {
      const sent = processor.shutdown().catch(ignore);
      await Promise.race([sent, sleep(CLOSE_TIMEOUT, undefined, { ref: false })]);
    },
  };
}

/** @param outer ends with the span */
function toSpan(tracer: OtelTracer, span: OtelSpan, outer?: OtelSpan): Span {
  const context = span.spanContext();
  const self: Span = {
    headers: headersOf(context),
    traceId: context.traceId,
    isRecorded: span.isRecording(),
    // Of a trace that is not recorded no part is.
    start: (name, kind, attributes = {}) =>
      span.isRecording()
        ? toSpan(
            tracer,
            tracer.startSpan(
              name,
              { kind: KINDS[kind], attributes: attributes as OtelAttributes },
              trace.setSpan(ROOT_CONTEXT, span),
            ),
          )
        : self,
    linkTo: (other) => void span.addLink({ context: contextOf(other.headers) }),
    end(attributes = {}, error) {
      span.setAttributes(attributes as OtelAttributes);
      if (error !== undefined) {
        span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute('error.type', typeOf(error));
        outer?.setStatus({ code: SpanStatusCode.ERROR });
      }
      span.end();
      outer?.setAttributes(attributes as OtelAttributes).end();
    },
  };
  return self;
}

/** Never the message, which may contain values. */
function typeOf(error: unknown): string {
  const { code, name } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  return String(code ?? name ?? typeof error);
}

function headersOf({ traceId, spanId, traceFlags, traceState }: SpanContext): TraceHeaders {
  const traceparent = `00-${traceId}-${spanId}-0${traceFlags & 1}`;
  return traceState === undefined ? { traceparent } : { traceparent, tracestate: traceState.serialize() };
}

/** @param headers as `traceOf` has checked them */
function contextOf({ traceparent, tracestate }: TraceHeaders): SpanContext {
  const [, traceId = '', spanId = '', flags = ''] = traceparent.split('-');
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
  return tracestate === undefined ? context : { ...context, traceState: createTraceState(tracestate) };
}

function headersIn(text: string): Record<string, string> {
  const pairs = text.split(',').map((pair) => pair.split('=', 2) as [string, string?]);
  return Object.fromEntries(
    pairs.flatMap(([name, value]) =>
      value === undefined ? [] : [[name.trim(), decodeURIComponent(value.trim())]],
    ),
  );
}
