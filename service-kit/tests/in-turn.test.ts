import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { inTurn } from '../src/http/in-turn.ts';
import { until } from '../testing/until.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

async function open(listener: RequestListener) {
  const server = createServer(inTurn(listener)).listen(0);
  servers.push(server);
  const { port } = server.address() as AddressInfo;
  const dial = async () => {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  };
  return { dial };
}

const requests = (count: number) =>
  Array.from({ length: count }, (_, i) => `GET /${i} HTTP/1.1\r\nHost: shop\r\n\r\n`).join('');

test('handles pipelined requests one by one in their order, and other connections in between', async () => {
  const events: string[] = [];
  const { dial } = await open(async ({ url }, response) => {
    events.push(`begin ${url}`);
    await sleep(5);
    events.push(`end ${url}`);
    response.end(url);
  });
  const many = await dial();
  let responses = '';
  many.setEncoding('utf8').on('data', (text: string) => {
    responses += text;
  });
  many.write(requests(20));
  await until('the first begins', () => events.length > 0);
  const other = await dial();
  other.write('GET /other HTTP/1.1\r\nHost: shop\r\n\r\n');
  await until('the last response arrives', () => responses.includes('/19'));
  const own = events.filter((event) => !event.includes('other'));
  expect(own).toEqual(Array.from({ length: 20 }, (_, i) => [`begin /${i}`, `end /${i}`]).flat());
  expect(events.indexOf('end /other')).toBeLessThan(events.indexOf('begin /10'));
  many.destroy();
  other.destroy();
});

test('produces one response for a client that sends 1,500 requests and reads nothing', async () => {
  const page = Buffer.alloc(1_500_000, 'x');
  let made = 0;
  const { dial } = await open((_request, response) => {
    made += 1;
    response.end(page);
  });
  const greedy = await dial();
  greedy.pause().write(requests(1500));
  await until('the first is made', () => made > 0);
  // The system buffers a few pages at most for a connection that is not read.
  const patient = await dial();
  for (let i = 0; i < 20; i++) {
    patient.write(requests(1));
    await once(patient, 'data');
    await until('the page has come', () => patient.bytesRead >= page.length * (i + 1));
  }
  expect(made - 20).toBeLessThan(10);
  greedy.destroy();
  patient.destroy();
});

test('closes the connection after the last accepted response when a hundred requests wait', async () => {
  const { dial } = await open(async ({ url }, response) => {
    await sleep(1);
    response.end(url);
  });
  const socket = await dial();
  let responses = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    responses += text;
  });
  socket.write(requests(800));
  await new Promise((resolve) => socket.once('close', resolve));
  expect(responses.match(/HTTP\/1\.1 200/g)).toHaveLength(101);
  expect(responses).toMatch(/Connection: close\r\n[\s\S]*\r\n\/100$/);
});

test('cuts off a client that continues to send, and never handles its waiting requests', async () => {
  const begun: (string | undefined)[] = [];
  const { dial } = await open(({ url }) => void begun.push(url));
  const socket = await dial();
  socket.write(requests(2000));
  await new Promise((resolve) => socket.once('close', resolve));
  expect(begun).toEqual(['/0']);
});
