import http, { type Agent } from 'node:http';
import https from 'node:https';
import { type AxiosAdapter, AxiosError } from 'axios';

interface AdapterOptions {
  /** Of the called service; a path in it precedes the paths of all calls. A call without a path goes to exactly this address. */
  url: string;
  agent: Agent | undefined;
  /** Bytes; a longer response fails the call. */
  maxResponse: number;
}

/**
 * Sends axios's requests for calls between services: bodies are texts, queries are part of the path; no redirects, proxies,
 * compression or forms. Axios's own adapter has all of these, and takes longer for them (`npm run bench -- calls`).
 */
export function createJsonAdapter({ url, agent, maxResponse }: AdapterOptions): AxiosAdapter {
  const { protocol, hostname, port, pathname, search } = new URL(url);
  const { request } = protocol === 'https:' ? https : http;
  const target = { protocol, hostname: hostname.replace(/^\[|\]$/g, ''), port, agent };
  const prefix = pathname.replace(/\/$/, '');

  return (config) =>
    new Promise((resolve, reject) => {
      const signal = config.signal as AbortSignal | undefined;
      const fail = (error: Error) =>
        reject(
          AxiosError.from(error, signal?.aborted ? AxiosError.ERR_CANCELED : undefined, config, outgoing),
        );
      const outgoing = request(
        {
          ...target,
          method: config.method?.toUpperCase(),
          path: config.url ? prefix + config.url : pathname + search,
          headers: config.headers.toJSON() as http.OutgoingHttpHeaders,
          signal,
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          let size = 0;
          incoming
            .on('error', fail)
            .on('data', (chunk: Buffer) => {
              size += chunk.length;
              chunks.push(chunk);
              if (size > maxResponse)
                incoming.destroy(new Error(`the response exceeds ${maxResponse} bytes`));
            })
            .on('end', () => {
              const { statusCode: status = 0, statusMessage: statusText = '', headers } = incoming;
              const data = Buffer.concat(chunks).toString();
              resolve({ data, status, statusText, headers: headers as never, config, request: outgoing });
            });
        },
      );
      outgoing.on('error', fail).end(config.data);
    });
}
