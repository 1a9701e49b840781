import { once } from 'node:events';
import { Agent, createServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * Distributes requests over the current replicas in turn, like a gateway. A replica that is removed gets no new requests,
 * and finishes the ones it has.
 */
export async function startRelay(urls: string[]) {
  // A kept connection may be closed by the service in the moment in which a request is sent.
  const agent = new Agent({ keepAlive: false });
  let targets = urls;
  let turn = 0;
  const server = createServer((incoming, outgoing) => {
    turn += 1;
    const target = targets[turn % targets.length];
    if (target === undefined) return void outgoing.writeHead(502).end();
    const { method, url = '/', headers } = incoming;
    const forwarded = send(new URL(url, target), { agent, method, headers }, (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.rawHeaders);
      response.pipe(outgoing);
    });
    forwarded.on('error', () => outgoing.destroy());
    incoming.pipe(forwarded);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    takeOut(url: string) {
      targets = targets.filter((target) => target !== url);
    },
    putIn(url: string) {
      targets = [...targets, url];
    },
    async close() {
      server.close();
      server.closeAllConnections();
      agent.destroy();
      await once(server, 'close');
    },
  };
}
