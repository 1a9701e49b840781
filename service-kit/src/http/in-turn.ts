import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Pipelined requests of one connection that may wait behind the one that is being handled. */
const MAX_WAITING = 100;
/** Requests beyond these after which the connection is cut immediately: Node keeps an object for each until it closes. */
const MAX_IGNORED = 1000;

interface Line {
  isBusy: boolean;
  waiting: [request: IncomingMessage, response: ServerResponse][];
  ignored: number;
}

/**
 * Handles the requests of one connection one by one, each after the response before it was sent: a client that sends
 * 1,500 requests and reads nothing holds one response in memory, and other clients are served in between. If too many
 * wait, the connection ends after the last accepted one; requests without a response were not started and may be sent
 * again (RFC 9112, 9.3.2).
 */
export function inTurn(listener: RequestListener): RequestListener {
  const lines = new WeakMap<Socket, Line>();
  const lineOf = (socket: Socket): Line => {
    const known = lines.get(socket);
    if (known !== undefined) return known;
    const line: Line = { isBusy: false, waiting: [], ignored: 0 };
    lines.set(socket, line);
    return line;
  };

  const begin = (line: Line, request: IncomingMessage, response: ServerResponse): void => {
    line.isBusy = true;
    response.once('close', () => next(line, request.socket));
    listener(request, response);
  };
  const next = (line: Line, socket: Socket): void => {
    const turn = line.waiting.shift();
    if (turn === undefined || socket.destroyed) line.isBusy = false;
    else begin(line, ...turn);
  };

  return (request, response) => {
    const line = lineOf(request.socket);
    if (!line.isBusy) begin(line, request, response);
    else if (line.ignored === 0) {
      // The last response has `Connection: close`, after which Node closes the connection.
      response.shouldKeepAlive = line.waiting.length < MAX_WAITING - 1 && response.shouldKeepAlive;
      line.waiting.push([request, response]);
      if (!response.shouldKeepAlive) line.ignored = 1;
    } else {
      line.ignored += 1;
      if (line.ignored > MAX_IGNORED) request.socket.destroy();
    }
  };
}
