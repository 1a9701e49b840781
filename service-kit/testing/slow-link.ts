import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export type SlowLink = Awaited<ReturnType<typeof openSlowLink>>;

/** A TCP proxy to a local port that can delay responses. Bytes keep their order. */
export async function openSlowLink(port: number) {
  let delay = 0;
  let isDown = false;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    if (isDown) {
      near.on('error', () => undefined).destroy();
      return;
    }
    const far = connect(port, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket
        .on('error', () => undefined)
        .on('close', () => {
          sockets.delete(socket);
          near.destroy();
          far.destroy();
        });
    }
    near.pipe(far);
    let delivered: Promise<unknown> = Promise.resolve();
    far.on('data', (chunk) => {
      const due = delay === 0 ? undefined : new Promise((resolve) => setTimeout(resolve, delay));
      delivered = delivered.then(() => due).then(() => near.writable && near.write(chunk));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const ownPort = (server.address() as AddressInfo).port;
  return {
    port: ownPort,
    url: `http://127.0.0.1:${ownPort}`,
    /** @param milliseconds delay of every response from now on */
    slowDown(milliseconds: number) {
      delay = milliseconds;
    },
    /** Cuts every connection, like a network failure. */
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    /** Cuts every connection and refuses new ones until `mend`. */
    sever() {
      isDown = true;
      for (const socket of sockets) socket.destroy();
    },
    mend() {
      isDown = false;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** The address of the same database through the link. */
export function throughLink(databaseUrl: string, link: SlowLink): string {
  return Object.assign(new URL(databaseUrl), { hostname: '127.0.0.1', port: String(link.port) }).toString();
}
