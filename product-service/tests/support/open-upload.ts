import { once } from 'node:events';
import { type ClientRequest, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Express } from 'express';

export interface OpenUpload {
  /** The request, whose body the test sends. */
  call: ClientRequest;
  answered: Promise<number | undefined>;
  close(): void;
}

/** A CSV import that runs until the test ends it. */
export async function openUpload(app: Express, authorization: string): Promise<OpenUpload> {
  const server = app.listen(0);
  const { port } = server.address() as AddressInfo;
  const call = request({
    port,
    path: '/api/products/import',
    method: 'POST',
    agent: false,
    headers: { 'Content-Type': 'text/csv', Authorization: authorization },
  });
  const answered = once(call, 'response').then(
    ([response]) => response.resume().statusCode,
    () => undefined,
  );
  call.write('name,price\n');
  await once(call, 'socket');
  return {
    call,
    answered,
    close() {
      call.destroy();
      server.close();
    },
  };
}
