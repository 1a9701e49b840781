import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, type RequestOptions, request as send } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

const WITHOUT_LIMITS = { headersTimeout: 0, requestTimeout: 0, keepAliveTimeout: 0 };

/** A request to the service, or its response. */
export interface Message {
  readonly method: string;
  readonly path: string;
  readonly direction: 'asked' | 'answered';
}

/** `cut`: the receiver gets nothing; `cut in the middle`: it gets half. Both close the connection. */
export type Passage = 'pass' | 'cut' | 'cut in the middle';

interface ProxyOptions {
  /** Base addresses of the replicas, used in turn; may grow. */
  targets: string[];
  /** Decides about every message, which waits for the decision. */
  onMessage: (message: Message) => Promise<Passage>;
}

/**
 * A proxy between clients and the replicas of a service that decides about every request and response. A request that was
 * passed on continues even if its sender disconnects.
 */
export async function startFaultProxy({ targets, onMessage }: ProxyOptions) {
  let turn = 0;
  const nextTarget = () => {
    const { hostname: host, port } = new URL(targets[turn++ % targets.length] ?? '');
    return { host, port };
  };
  const agent = new Agent({ keepAlive: true });
  const sockets = new Set<Socket>();
  // Node would send a 408 on a connection that a client has opened and not used for a minute, and the client would read it as
  // the response to its next request.
  const server = createServer(WITHOUT_LIMITS, async (incoming, outgoing) => {
    const { socket, method = '', url: path = '' } = incoming;
    try {
      const body = await bytesOf(incoming);
      const asked = await onMessage({ method, path, direction: 'asked' });
      if (asked === 'cut') return void socket.destroy();
      const options = { agent, ...nextTarget(), method, path, headers: incoming.headers };
      if (asked === 'cut in the middle') {
        await sendHalf(options, body);
        return void socket.destroy();
      }
      const response = await exchange(options, body);
      const answered = await onMessage({ method, path, direction: 'answered' });
      if (answered === 'cut') return void socket.destroy();
      outgoing.writeHead(response.status, response.headers);
      if (answered === 'pass') return void outgoing.end(response.body);
      outgoing.write(response.body.subarray(0, Math.floor(response.body.length / 2)), () => socket.destroy());
    } catch {
      socket.destroy();
    }
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      for (const socket of sockets) socket.destroy();
      agent.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

async function exchange(options: RequestOptions, body: Buffer) {
  const request = send(options);
  request.end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const { statusCode: status = 502, rawHeaders: headers } = response;
  return { status, headers, body: await bytesOf(response) };
}

/** Half a body with the full length: the service waits for the rest until the connection closes. */
async function sendHalf(options: RequestOptions, body: Buffer): Promise<void> {
  const request = send({ ...options, agent: false });
  request.on('error', () => undefined);
  if (body.length === 0) request.setHeader('content-length', 1);
  request.write(body.subarray(0, Math.floor(body.length / 2)));
  request.flushHeaders();
  await new Promise((resolve) => setTimeout(resolve, 20));
  request.destroy();
}

async function bytesOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
