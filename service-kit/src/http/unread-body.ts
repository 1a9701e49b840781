import type { IncomingMessage } from 'node:http';

/** Milliseconds for which the rest of a body is still accepted after the response. */
const LINGER = 5000;

/**
 * For a request that got its response before its body arrived: discards the rest for a while, so that a client that sends
 * everything before it reads sees the response and not a connection reset. Then it cuts the connection.
 */
export function cutUnreadBody(request: IncomingMessage): void {
  const { socket } = request;
  if (request.complete || socket.destroyed) return;
  const timer = setTimeout(() => socket.destroy(), LINGER).unref();
  request.once('end', () => clearTimeout(timer)).resume();
}
