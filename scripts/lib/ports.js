import { createServer } from 'node:net';
import { errorCode } from './failure.js';

/**
 * A free port of 127.0.0.1. Somebody else may take it before it is used: retry then.
 * @returns {Promise<number>}
 */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : 0));
    });
  });
}

/**
 * Why a port cannot be used (EADDRINUSE, EACCES), on any address of this machine; undefined when it can.
 * Several addresses, because some systems let a second program listen on `localhost` beside one on 0.0.0.0.
 * @param {number} port
 * @returns {Promise<string | undefined>}
 */
export async function portProblem(port) {
  for (const host of ['0.0.0.0', '127.0.0.1', '::1']) {
    const problem = await listenProblem(port, host);
    if (problem === 'EADDRINUSE' || problem === 'EACCES') return problem;
  }
  return undefined;
}

/**
 * @param {number} port
 * @param {string} host
 * @returns {Promise<string | undefined>}
 */
function listenProblem(port, host) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(errorCode(error)));
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}
