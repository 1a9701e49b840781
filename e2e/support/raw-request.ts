import { connect } from 'node:net';

/** Sends these bytes. @param from the client's address @returns everything received until the connection is closed */
export function sendRaw(port: number, text: string, from?: string): Promise<RawResponse> {
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect(
      { port, host: '127.0.0.1', ...(from === undefined ? {} : { localAddress: from }) },
      () => socket.write(text),
    );
    socket.on('data', (chunk) => {
      received += chunk.toString();
    });
    socket.once('close', () => resolve(read(received))).once('error', reject);
  });
}

export interface RawResponse {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

function read(received: string): RawResponse {
  const [head = '', body = ''] = received.split('\r\n\r\n');
  const [line = '', ...fields] = head.split('\r\n');
  const headers = new Headers();
  for (const field of fields)
    headers.append(field.slice(0, field.indexOf(':')), field.slice(field.indexOf(':') + 1));
  return { status: Number(line.split(' ')[1]), headers, body: body.startsWith('{') ? JSON.parse(body) : {} };
}
