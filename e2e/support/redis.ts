import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, type Started, startProcess, until } from './process.ts';
import { testServer } from './stack.ts';

/**
 * A Redis for one test, which may kill and restart it on the same port.
 * @param further arguments of the server
 */
export async function startRedis(further: string[] = []) {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'shop-redis-'));
  let server: Started | undefined;
  const start = async () => {
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder, ...further];
    server = startProcess(testServer('TEST_REDIS_SERVER'), args);
    await until('redis responds', () => responses(port));
  };
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    start,
    async kill() {
      server?.signal('SIGKILL');
      await server?.ended();
    },
    pause: () => server?.signal('SIGSTOP'),
    resume: () => server?.signal('SIGCONT'),
    async close() {
      await server?.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const responses = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (data) => {
      socket.destroy();
      resolve(data.toString().startsWith('+PONG'));
    });
    socket.once('error', () => resolve(false));
  });
