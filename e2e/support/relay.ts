import { once } from 'node:events';
import { Agent, createServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { until } from './process.ts';

/** Distributes requests over the current replicas in turn, like a gateway. */
export async function startRelay(urls: string[]) {
  // A kept connection may be closed by the service in the moment in which a request is sent.
  const agent = new Agent({ keepAlive: false });
  let targets = urls;
  let turn = 0;
  const running = new Map<string, number>();
  const count = (target: string, by: number) => running.set(target, (running.get(target) ?? 0) + by);
  const server = createServer((incoming, outgoing) => {
    turn += 1;
    const target = targets[turn % targets.length];
    if (target === undefined) return void outgoing.writeHead(502).end();
    const { method, url = '/', headers } = incoming;
    count(target, 1);
    outgoing.once('close', () => count(target, -1));
    const forwarded = send(new URL(url, target), { agent, method, headers }, (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.rawHeaders);
      response.pipe(outgoing);
    });
    forwarded.on('error', () => outgoing.destroy());
    incoming.pipe(forwarded);
  }).listen(0, '127.0.0.1');
  // A client may send on a connection while the server closes it as idle.
  server.keepAliveTimeout = 0;
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Sends the replica nothing more. Resolves when it has responded to everything that it was sent. */
    async takeOut(url: string) {
      targets = targets.filter((target) => target !== url);
      await until('the replica has nothing to do', async () => (running.get(url) ?? 0) === 0);
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
