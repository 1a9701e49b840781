import type { Agent } from 'node:http';
import axios, { type AxiosInstance, type InternalAxiosRequestConfig, isAxiosError } from 'axios';
import type { Metrics } from '../runtime/metrics.ts';
import { currentSpan, type Span } from '../tracing/span.ts';
import { createJsonAdapter } from './json-adapter.ts';

interface HttpClientOptions {
  /** The service that is called, as metrics name it. */
  target: string;
  url: string;
  agent?: Agent;
  /** Bytes. */
  maxResponse: number;
  metrics: Pick<Metrics, 'outboundCalls'>;
}

type Result = 'ok' | 'refused' | 'failed' | 'timeout' | 'unreachable';

/**
 * Calls another service: without proxies and redirects. Every call is measured, and passes on the trace that it belongs to.
 * Any status resolves; a call without a response rejects. The time limit is the caller's `signal`.
 */
export function createHttpClient({
  target,
  url,
  agent,
  maxResponse,
  metrics,
}: HttpClientOptions): AxiosInstance {
  const http = axios.create({
    adapter: createJsonAdapter({ url, agent, maxResponse }),
    validateStatus: () => true,
  });
  const started = new WeakMap<InternalAxiosRequestConfig, { at: number; span: Span | undefined }>();
  const observe = (config: InternalAxiosRequestConfig | undefined, result: Result, status?: number) => {
    const start = config && started.get(config);
    if (start === undefined) return;
    metrics.outboundCalls.observe({ target, result }, (performance.now() - start.at) / 1000);
    start.span?.end(
      { 'http.response.status_code': status },
      result === 'ok' || result === 'refused' ? undefined : { code: result },
    );
  };
  http.interceptors.request.use((config) => {
    const { method = 'get', url: path = '' } = config;
    const span = currentSpan()?.start(`${method.toUpperCase()} ${target}`, 'client', {
      'http.request.method': method.toUpperCase(),
      'url.path': path.replace(/\?.*/s, ''),
      'peer.service': target,
    });
    started.set(config, { at: performance.now(), span });
    if (span !== undefined) config.headers.set({ ...span.headers });
    return config;
  });
  http.interceptors.response.use(
    (response) => {
      observe(response.config, resultOf(response.status), response.status);
      return response;
    },
    (error: unknown) => {
      if (isAxiosError(error))
        observe(error.config, error.code === 'ERR_CANCELED' ? 'timeout' : 'unreachable');
      throw error;
    },
  );
  return http;
}

function resultOf(status: number): Result {
  if (status >= 500) return 'failed';
  return status >= 400 ? 'refused' : 'ok';
}
