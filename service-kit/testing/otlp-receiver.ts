import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

export interface ReceivedSpan {
  service: string;
  name: string;
  /** 1 internal, 2 server, 3 client, 5 consumer. */
  kind: number;
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  attributes: Record<string, unknown>;
  links: { traceId: string; spanId: string }[];
  isFailed: boolean;
  /** Milliseconds since 1970. */
  startedAt: number;
  endedAt: number;
}

interface Attribute {
  key: string;
  value: Record<string, unknown>;
}
interface Exported {
  resourceSpans: {
    resource: { attributes: Attribute[] };
    scopeSpans: {
      spans: {
        name: string;
        kind: number;
        traceId: string;
        spanId: string;
        parentSpanId?: string;
        attributes: Attribute[];
        links?: { traceId: string; spanId: string }[];
        status?: { code?: number };
        startTimeUnixNano: string;
        endTimeUnixNano: string;
      }[];
    }[];
  }[];
}

/** A receiver of OTLP over HTTP, in JSON, that keeps all spans. */
export async function startOtlpReceiver() {
  const spans: ReceivedSpan[] = [];
  const headers: NodeJS.Dict<string | string[]>[] = [];
  const server = createServer(async (request, response) => {
    headers.push(request.headers);
    if (request.url === '/v1/traces') spans.push(...spansIn((await json(request)) as Exported));
    response.writeHead(request.url === '/v1/traces' ? 200 : 404, { 'content-type': 'application/json' });
    response.end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    /** Of each export. */
    headers,
    /** A trace as text: each span on a line, `service: name`, indented under its parent, in order of their starts. */
    treeOf: (traceId: string) =>
      linesUnder(
        undefined,
        spans.filter((span) => span.traceId === traceId),
      ),
    async close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function spansIn({ resourceSpans }: Exported): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        service: String(attributesOf(resource.attributes)['service.name']),
        name: span.name,
        kind: span.kind,
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId,
        attributes: attributesOf(span.attributes),
        links: (span.links ?? []).map(({ traceId, spanId }) => ({ traceId, spanId })),
        isFailed: span.status?.code === 2,
        startedAt: Number(span.startTimeUnixNano) / 1e6,
        endedAt: Number(span.endTimeUnixNano) / 1e6,
      })),
    ),
  );
}

const attributesOf = (attributes: Attribute[]) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

/** A span whose parent was recorded elsewhere, or not at all, is a root. */
function linesUnder(parent: ReceivedSpan | undefined, spans: ReceivedSpan[], depth = 0): string[] {
  const isRoot = ({ parentSpanId }: ReceivedSpan) => !spans.some(({ spanId }) => spanId === parentSpanId);
  return spans
    .filter((span) => (parent === undefined ? isRoot(span) : span.parentSpanId === parent.spanId))
    .toSorted((a, b) => a.startedAt - b.startedAt)
    .flatMap((span) => [
      `${'  '.repeat(depth)}${span.service}: ${span.name}`,
      ...linesUnder(span, spans, depth + 1),
    ]);
}
