import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingHttpHeaders } from 'node:http';

/** The headers of W3C Trace Context, which continue a trace in another service. */
export interface TraceHeaders {
  readonly traceparent: string;
  readonly tracestate?: string;
}

/** `server` handles a request, `client` sends one or a statement, `consumer` runs a job. */
export type SpanKind = 'internal' | 'server' | 'client' | 'consumer';
/** Texts, numbers, flags and lists of them; undefined is left out. */
export type Attributes = Readonly<Record<string, unknown>>;

/** A part of a trace, from its start until `end`. */
export interface Span {
  readonly headers: TraceHeaders;
  readonly traceId: string;
  /** False for a trace that is only passed on. */
  readonly isRecorded: boolean;
  /** Starts a part of this one. */
  start(name: string, kind: SpanKind, attributes?: Attributes): Span;
  /** Names another span that this one has to do with. */
  linkTo(other: Span): void;
  /** @param error what made it fail; only its type is recorded */
  end(attributes?: Attributes, error?: unknown): void;
}

interface FirstSpan {
  kind: SpanKind;
  /** Where it belongs: one parent is continued; with several it begins a trace and links to them. */
  parents: readonly TraceHeaders[];
  attributes: Attributes;
  /** When the gateway received the request, in milliseconds since 1970: the gateway records no spans itself. */
  atGateway?: number | undefined;
}

/** Records spans and exports them. */
export interface Tracer {
  /** The first span of this process in a trace. */
  start(name: string, first: FirstSpan): Span;
  /** Exports the spans that have ended. */
  close(): Promise<void>;
}

const spans = new AsyncLocalStorage<Span | undefined>();

/** The span of the work in this context. */
export const currentSpan = (): Span | undefined => spans.getStore();

/** Identifies the work in this context for later work that it causes, such as a job. */
export const currentTraceparent = (): string | undefined => spans.getStore()?.headers.traceparent;

/** Runs work as part of a span. Without one, and outside of any, this costs nothing. */
export function inSpan<T>(span: Span | undefined, work: () => T): T {
  return span === spans.getStore() ? work() : spans.run(span, work);
}

/** A trace that this process records nothing of. */
export function forwardedSpan(headers: TraceHeaders): Span {
  const span: Span = {
    headers,
    traceId: headers.traceparent.slice(3, 35),
    isRecorded: false,
    start: () => span,
    linkTo: () => undefined,
    end: () => undefined,
  };
  return span;
}

/** Version 00 of https://www.w3.org/TR/trace-context/, which later versions begin with. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?=$|-)/;
const MAX_LENGTH = 512;

/** Undefined without a valid `traceparent`. */
export function traceOf(headers: Pick<IncomingHttpHeaders, string>): TraceHeaders | undefined {
  const { traceparent, tracestate } = headers;
  if (typeof traceparent !== 'string' || traceparent.length > MAX_LENGTH || !TRACEPARENT.test(traceparent))
    return undefined;
  const isSmall = typeof tracestate === 'string' && tracestate !== '' && tracestate.length <= MAX_LENGTH;
  return isSmall ? { traceparent, tracestate } : { traceparent };
}
