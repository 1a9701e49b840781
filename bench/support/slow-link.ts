import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to a service on which answers can be made late. */
export async function openSlowLink(port: number) {
  let delay = 0;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
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
    far.on('data', (chunk) => setTimeout(() => near.writable && near.write(chunk), delay));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** @param milliseconds by which every answer is late from now on */
    slowDown(milliseconds: number) {
      delay = milliseconds;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
