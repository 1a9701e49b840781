import { createServer } from 'node:http';
import express from 'express';

/** Returns the bytes of a service by bare `node:http` or Express. Arguments: which of them, the address, a token. */
const [kind, address = '', token] = process.argv.slice(2);
const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
const result = await fetch(address, { headers });
if (!result.ok) throw new Error(`${address} returned ${result.status}`);
const bytes = Buffer.from(await result.arrayBuffer());
const type = result.headers.get('content-type') ?? '';
const { pathname } = new URL(address);

function byExpress() {
  const app = express();
  app.get(pathname, (_request, response) => {
    response.set('Content-Type', type).send(bytes);
  });
  return app;
}

const server = createServer(
  kind === 'express'
    ? byExpress()
    : (_request, response) => {
        response.setHeader('Content-Type', type).end(bytes);
      },
);
server.listen(0, '127.0.0.1', () => process.send?.(server.address()));
