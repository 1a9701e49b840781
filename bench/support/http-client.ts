import { Agent, request } from 'node:http';

/** A minimal client with keep-alive connections, so that measuring costs little. */
export function createHttpClient(url: string, connections: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const { hostname, port } = new URL(url);
  const send = (
    method: string,
    path: string,
    headers: Record<string, string>,
    body = '',
  ): Promise<{ status: number; body: string }> =>
    new Promise((resolve, reject) => {
      const call = request({ hostname, port, path, method, agent, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
      });
      call.on('error', reject);
      call.end(body);
    });
  return {
    get: (path: string) => send('GET', path, {}),
    post: (path: string, body: string, headers: Record<string, string>) =>
      send(
        'POST',
        path,
        {
          'content-type': 'application/json',
          'content-length': String(Buffer.byteLength(body)),
          ...headers,
        },
        body,
      ),
    close: () => agent.destroy(),
  };
}
