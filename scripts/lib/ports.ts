import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { errorCode } from './failure.ts';

/** A free port of 127.0.0.1. Another process may take it before it is used: retry then. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * The reason why a port cannot be used (EADDRINUSE, EACCES); undefined if it can. Tries several addresses, because some
 * systems let a second program listen on `localhost` while one listens on 0.0.0.0.
 */
export async function portProblem(port: number): Promise<string | undefined> {
  for (const host of ['0.0.0.0', '127.0.0.1', '::1']) {
    const server = createServer().listen(port, host);
    const problem = await once(server, 'listening').then(() => undefined, errorCode);
    if (problem === 'EADDRINUSE' || problem === 'EACCES') return problem;
    if (problem === undefined) await new Promise((resolve) => server.close(resolve));
  }
  return undefined;
}
