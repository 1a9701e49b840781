import http, { type Agent, type IncomingHttpHeaders } from 'node:http';
import https from 'node:https';
import type { Metrics } from '../runtime/metrics.ts';
import { parseJson } from '../text/texts.ts';
import { currentSpan } from '../tracing/span.ts';

interface HttpClientOptions {
  /** The service that is called, as metrics name it. */
  target: string;
  /** A path in it precedes the paths of all calls. */
  url: string;
  agent?: Agent;
  /** Bytes; a longer response fails the call. */
  maxResponse: number;
  metrics: Pick<Metrics, 'outboundCalls'>;
}

interface Call {
  method?: 'GET' | 'POST';
  /** With the query. If it is empty, the call goes to exactly the address of the service. */
  path: string;
  headers?: Record<string, string>;
  /** Sent as JSON. */
  body?: unknown;
  signal?: AbortSignal;
}

export interface CallResponse {
  status: number;
  headers: IncomingHttpHeaders;
  /** Undefined for a body that is not JSON. */
  data: unknown;
}

/** Any status resolves; a call without a response rejects. The time limit is the caller's `signal`. */
export type HttpClient = (call: Call) => Promise<CallResponse>;

type Result = 'ok' | 'refused' | 'failed' | 'timeout' | 'unreachable';

/**
 * Calls another service: without proxies, redirects and compression. Every call is measured, and passes on the trace that
 * it belongs to.
 */
export function createHttpClient({
  target,
  url,
  agent,
  maxResponse,
  metrics,
}: HttpClientOptions): HttpClient {
  const { protocol, hostname, port, pathname, search } = new URL(url);
  const { request } = protocol === 'https:' ? https : http;
  const server = { protocol, hostname: hostname.replace(/^\[|\]$/g, ''), port, agent };
  const prefix = pathname.replace(/\/$/, '');

  const send = ({ method, path, headers, body, signal }: Call) =>
    new Promise<CallResponse>((resolve, reject) => {
      const options = {
        ...server,
        method,
        path: path === '' ? pathname + search : prefix + path,
        headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
        signal,
      };
      request(options, (incoming) => {
        const chunks: Buffer[] = [];
        let size = 0;
        incoming
          .on('error', reject)
          .on('data', (chunk: Buffer) => {
            size += chunk.length;
            chunks.push(chunk);
            if (size > maxResponse) incoming.destroy(new Error(`the response exceeds ${maxResponse} bytes`));
          })
          .on('end', () => {
            const { statusCode: status = 0, headers } = incoming;
            resolve({ status, headers, data: parseJson(Buffer.concat(chunks).toString()) });
          });
      })
        .on('error', reject)
        .end(body === undefined ? undefined : JSON.stringify(body));
    });

  return async (call) => {
    const { method = 'GET', path } = call;
    const startedAt = performance.now();
    const span = currentSpan()?.start(`${method} ${target}`, 'client', {
      'http.request.method': method,
      'url.path': path.replace(/\?.*/s, ''),
      'peer.service': target,
    });
    const observe = (result: Result, status?: number) => {
      metrics.outboundCalls.observe({ target, result }, (performance.now() - startedAt) / 1000);
      const isGood = result === 'ok' || result === 'refused';
      span?.end({ 'http.response.status_code': status }, isGood ? undefined : { code: result });
    };
    try {
      const response = await send({ ...call, headers: { ...call.headers, ...span?.headers } });
      observe(resultOf(response.status), response.status);
      return response;
    } catch (error) {
      observe(call.signal?.aborted ? 'timeout' : 'unreachable');
      throw error;
    }
  };
}

function resultOf(status: number): Result {
  if (status >= 500) return 'failed';
  return status >= 400 ? 'refused' : 'ok';
}
