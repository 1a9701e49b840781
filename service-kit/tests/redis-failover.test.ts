import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { connectRedis } from '../src/redis/connect.ts';
import { type RedisProcess, startRedisProcess } from '../testing/redis-process.ts';
import { until } from '../testing/until.ts';
import { silent } from './support/test-app.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

async function startServer(): Promise<RedisProcess> {
  const server = await startRedisProcess();
  cleanUps.push(() => server.kill());
  return server;
}

const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;
const SWITCHED = bulk('+switch-master');

/** A Sentinel that reports a failover, and only then responds to who asks for the primary's address. */
async function startSentinel(first: RedisProcess) {
  const subscribers = new Set<Socket>();
  const sockets = new Set<Socket>();
  let primary = first;
  let next: RedisProcess | undefined;
  const respond = (socket: Socket, command: string) => {
    if (command === 'subscribe') {
      subscribers.add(socket);
      socket.write(`*3\r\n${bulk('subscribe')}${SWITCHED}:1\r\n`);
    } else if (command === 'get-master-addr-by-name') {
      if (next !== undefined) {
        primary = next;
        next = undefined;
        for (const subscriber of subscribers)
          subscriber.write(`*3\r\n${bulk('message')}${SWITCHED}${bulk('shop')}`);
      }
      const address = `*2\r\n${bulk('127.0.0.1')}${bulk(String(primary.port))}`;
      setTimeout(() => socket.write(address), 100);
    } else socket.write({ sentinels: '*0\r\n', hello: '-NOPROTO\r\n' }[command] ?? '+OK\r\n');
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      // Of each command its name, or for SENTINEL its subcommand.
      for (const [, name = '', argument = ''] of String(data).matchAll(
        /\*\d+\r\n\$\d+\r\n(\S+)\r\n(?:\$\d+\r\n(\S*))?/g,
      ))
        respond(socket, (name.toLowerCase() === 'sentinel' ? argument : name).toLowerCase());
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUps.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    isObserved: () => subscribers.size > 0,
    failOverTo(replacement: RedisProcess) {
      next = replacement;
    },
  };
}

test('a failover that is reported while the address is asked for does not end the connection', async () => {
  const [primary, replacement] = [await startServer(), await startServer()];
  const sentinel = await startSentinel(primary);
  const connection = connectRedis(`redis+sentinel://127.0.0.1:${sentinel.port}/shop`, silent);
  cleanUps.push(() => connection.close());
  await until('the primary is used', () => connection.isReady() && sentinel.isObserved(), 20_000);
  sentinel.failOverTo(replacement);
  await primary.kill();
  await until('the new primary is used', () => connection.isReady(), 20_000);
  expect(connection.client.stream.remotePort).toBe(replacement.port);
});

test('a connection that is closed while the address is asked for stays closed', async () => {
  const sentinel = await startSentinel(await startServer());
  const connection = connectRedis(`redis+sentinel://127.0.0.1:${sentinel.port}/shop`, silent);
  const ended = once(connection.client, 'end');
  await connection.close();
  await ended;
  expect(connection.client.status).toBe('end');
});
