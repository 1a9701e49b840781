import type { Agent } from 'node:http';
import axios, { type AxiosInstance, type InternalAxiosRequestConfig, isAxiosError } from 'axios';
import type { Metrics } from '../runtime/metrics.ts';

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
 * Calls another service: without proxies and redirects, and every call is measured. Any status resolves; a call without a
 * response rejects. The time limit is the caller's `signal`.
 */
export function createHttpClient({
  target,
  url,
  agent,
  maxResponse,
  metrics,
}: HttpClientOptions): AxiosInstance {
  const http = axios.create({
    baseURL: url,
    ...(agent === undefined ? {} : { httpAgent: agent }),
    proxy: false,
    maxRedirects: 0,
    maxContentLength: maxResponse,
    validateStatus: () => true,
  });
  const startedAt = new WeakMap<InternalAxiosRequestConfig, number>();
  const observe = (config: InternalAxiosRequestConfig | undefined, result: Result) => {
    const start = config && startedAt.get(config);
    if (start !== undefined)
      metrics.outboundCalls.observe({ target, result }, (performance.now() - start) / 1000);
  };
  http.interceptors.request.use((config) => {
    startedAt.set(config, performance.now());
    return config;
  });
  http.interceptors.response.use(
    (response) => {
      observe(response.config, resultOf(response.status));
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
