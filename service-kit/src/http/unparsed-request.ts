import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import type { AppError } from '../errors/app-error.ts';
import { HeadersTooLarge, MalformedRequest, RequestTimedOut } from '../errors/http-errors.ts';
import { BROKEN_OFF } from './body-stream.ts';
import { corsHeadersWithoutOrigin } from './cors.ts';
import { PROBLEM_TYPE, toProblem } from './problem.ts';

/** Milliseconds that a client may go on sending after the response; if cut immediately, it might never read it. */
const LINGER = 5000;

/**
 * Responds with a problem document to requests that Node's parser refuses and the app never sees: 431 for headers that are
 * too large, 408 for headers that took too long, 400 for the rest. Then it closes the connection.
 */
export function refuseUnparsed(server: Server, logger: Logger, corsOrigins = ''): void {
  const latest = new WeakMap<Duplex, { request: IncomingMessage; response: ServerResponse }>();
  const refused = new WeakSet<Duplex>();
  const cors = corsHeadersWithoutOrigin(corsOrigins);

  server.on('request', (request, response) => latest.set(request.socket, { request, response }));
  // Any expectation but `100-continue` may be ignored (RFC 9110, 10.1.1); Node refuses it without a body.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // The parser reports further data of the same connection again.
    if (refused.has(socket)) return;
    refused.add(socket);
    const refusal = refusalOf(error);
    if (refusal === undefined || !socket.writable) return void socket.destroy();
    const refuse = () => {
      const id = randomUUID();
      logger.info({ request_id: id, status: refusal.status, code: error.code }, 'request cannot be parsed');
      socket.end(bytesOf(refusal, id, cors));
      setTimeout(() => socket.destroy(), LINGER).unref();
    };
    const { request, response } = latest.get(socket) ?? {};
    if (request === undefined || response === undefined || response.writableFinished) return refuse();
    // The invalid data came after a request whose response is not finished yet.
    if (request.complete) return void response.once('finish', refuse);
    if (response.headersSent) return void socket.destroy();
    // A route that is reading the body responds itself; nothing more can be read from this connection.
    response.shouldKeepAlive = false;
    if (!request.emit(BROKEN_OFF)) refuse();
  });
}

function refusalOf({ code = '' }: NodeJS.ErrnoException): AppError | undefined {
  if (code === 'HPE_HEADER_OVERFLOW') return new HeadersTooLarge();
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new RequestTimedOut();
  return code.startsWith('HPE_') ? new MalformedRequest('The request cannot be read') : undefined;
}

function bytesOf(error: AppError, id: string, cors: Record<string, string>): string {
  const body = JSON.stringify(toProblem(error, id));
  const headers = {
    'Content-Type': PROBLEM_TYPE,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'X-Request-Id': id,
    ...cors,
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}`, ...lines, '', body].join('\r\n');
}
