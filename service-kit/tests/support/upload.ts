import { once } from 'node:events';
import { type IncomingHttpHeaders, request, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { Readable } from 'node:stream';

export interface UploadResponse {
  status: number;
  headers: IncomingHttpHeaders;
  body: Record<string, unknown>;
}

/** Sends a body and resolves with the response, even if it arrives before the whole body was sent. */
export async function upload(
  server: Server,
  path: string,
  body: Buffer | Iterable<Buffer | string>,
  headers: Record<string, string> = { 'Content-Type': 'text/csv' },
): Promise<UploadResponse> {
  const { port } = server.address() as AddressInfo;
  const call = request({ port, path, method: 'POST', headers, agent: false });
  const source = Readable.from(Buffer.isBuffer(body) ? [body] : body);
  const [response] = await Promise.all([once(call, 'response'), source.pipe(call)]).then(([args]) => args);
  let text = '';
  for await (const chunk of response) text += chunk;
  source.destroy();
  call.destroy();
  return {
    status: response.statusCode,
    headers: response.headers,
    body: text === '' ? {} : JSON.parse(text),
  };
}

/** A connection on which a test writes its request by hand. */
export async function openUpload(server: Server, head: string[]) {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(`${[...head, 'Host: shop'].join('\r\n')}\r\n\r\n`);
  let response = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    response += chunk;
  });
  return {
    socket,
    closed: new Promise((resolve) => socket.once('close', resolve)),
    response: () => response,
  };
}
