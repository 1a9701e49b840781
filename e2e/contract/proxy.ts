import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

export type Incoming = IncomingMessage;

export type Outgoing = ServerResponse;

export type Reply = { status: number; headers: IncomingHttpHeaders; body: Buffer };

/** Prism's own problems have this type. */
const PRISM = 'https://stoplight.io/prism/errors#';
/** Header with the address of the service: Prism has one upstream only, which is `back`. */
const ORIGIN = 'x-shop-origin';

/**
 * Two servers with Prism between them: requests of tests go to `front`, then to Prism, `back` and the service. A request
 * that Prism refuses is sent to the service anyway: tests send invalid requests on purpose, which the shop must refuse too.
 * @param prism its address
 */
export async function startProxies(prism: string) {
  const counts = { compared: 0, refused: 0, outside: 0 };
  const mismatches: string[] = [];

  const back = createServer((incoming, outgoing) => {
    const { [ORIGIN]: origin, ...headers } = incoming.headers;
    void pass(incoming, outgoing, (body) => send(String(origin), incoming, headers, body));
  });
  const front = createServer((incoming, outgoing) => {
    void pass(incoming, outgoing, async (body) => {
      const compared = await send(prism, incoming, incoming.headers, body).catch(() => undefined);
      // Every response of the shop has an id.
      if (compared?.headers['x-request-id'] !== undefined) counts.compared++;
      else if (problemType(compared) !== 'VIOLATIONS') return direct(incoming, body, compared);
      else mismatches.push(`${incoming.method} ${incoming.url}: ${compared?.body}`);
      return compared as Reply;
    });
  });

  /** @param refusal of Prism */
  async function direct(incoming: Incoming, body: Buffer, refusal: Reply | undefined) {
    const { [ORIGIN]: origin, ...headers } = incoming.headers;
    const reply = await send(String(origin), incoming, headers, body);
    const isOfApi = ['UNPROCESSABLE_ENTITY', 'UNAUTHORIZED', 'INVALID_CONTENT_TYPE'].includes(
      problemType(refusal),
    );
    counts[isOfApi ? 'refused' : 'outside']++;
    if (isOfApi && reply.status < 400)
      mismatches.push(
        `${incoming.method} ${incoming.url}: the shop takes what the document refuses: ${refusal?.body}`,
      );
    return reply;
  }

  return {
    frontUrl: await listen(front),
    backUrl: await listen(back),
    counts,
    mismatches,
    close() {
      for (const server of [front, back]) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

/** @returns its address */
async function listen(server: Server) {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** If a service does not respond, the caller gets no response either. */
async function pass(incoming: Incoming, outgoing: Outgoing, ask: (body: Buffer) => Promise<Reply>) {
  try {
    const { status, headers, body } = await ask(await read(incoming));
    outgoing.writeHead(status, headers).end(body);
  } catch {
    outgoing.destroy();
  }
}

function send(
  origin: string,
  { method, url }: Incoming,
  headers: IncomingHttpHeaders,
  body: Buffer,
): Promise<Reply> {
  const { connection: _, 'transfer-encoding': __, 'content-length': ___, ...kept } = headers;
  // Prism cannot read compressed responses.
  const own = {
    'accept-encoding': 'identity',
    ...(body.length > 0 && { 'content-length': String(body.length) }),
  };
  return new Promise((resolve, reject) => {
    request(`${origin}${url}`, { method, headers: { ...kept, ...own } }, (response) => {
      read(response).then((bytes) => {
        const { connection: _c, 'transfer-encoding': _t, 'keep-alive': _k, ...rest } = response.headers;
        resolve({ status: response.statusCode ?? 0, headers: rest, body: bytes });
      }, reject);
    })
      .on('error', reject)
      .end(body);
  });
}

async function read(stream: Incoming) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** @returns the problem type if Prism itself responded */
function problemType(reply: Reply | undefined) {
  try {
    const { type = '' } = JSON.parse(String(reply?.body));
    return String(type).startsWith(PRISM) ? String(type).slice(PRISM.length) : '';
  } catch {
    return '';
  }
}
