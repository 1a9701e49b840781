import type { IncomingMessage } from 'node:http';

/** How long the rest of a body is still taken after the response, in milliseconds. */
const LINGER = 5000;

/**
 * For a request that was answered before its body had come: the rest is thrown away for a while, so that a client that
 * sends first and reads then finds the response and not a reset connection; then the connection is cut.
 */
export function cutUnreadBody(request: IncomingMessage): void {
  const { socket } = request;
  if (request.complete || socket.destroyed) return;
  const timer = setTimeout(() => socket.destroy(), LINGER).unref();
  request.once('end', () => clearTimeout(timer)).resume();
}
