import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from '@jest/globals';
import express, { type Express } from 'express';
import { type RunningServer, startServer } from '../src/runtime/run-server.ts';
import { until } from '../testing/until.ts';

const running: RunningServer[] = [];
const children: ChildProcess[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop('end of the test')));
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

interface Wanted {
  app?: Express;
  config?: { PORT?: number; DRAIN_TIMEOUT?: number; DRAIN_DELAY?: number };
}

async function start({ app = express(), config }: Wanted = {}) {
  const events: string[] = [];
  let isStopping = () => false;
  const server = await startServer({
    service: 'kit',
    loadConfig: () => ({ PORT: 0, HOST: '127.0.0.1', LOG_LEVEL: 'silent', DRAIN_TIMEOUT: 10_000, ...config }),
    async start(runtime) {
      isStopping = runtime.isStopping;
      return { app, close: async () => void events.push('closed') };
    },
  });
  running.push(server);
  return { server, events, isStopping: () => isStopping(), port: server.port };
}

const ask = (port: number, path: string, agent?: Agent) =>
  new Promise<string>((resolve, reject) => {
    get({ port, path, host: '127.0.0.1', agent: agent ?? false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.once('end', () => resolve(text)).once('error', reject);
    }).once('error', reject);
  });

/** An app whose `/slow` responds when the test calls `finish`. */
function slowApp() {
  const app = express();
  let finish: (() => void) | undefined;
  app.get('/slow', (_request, response) => {
    finish = () => void response.send('done');
  });
  app.get('/quick', (_request, response) => void response.send('quick'));
  return { app, began: () => until('a request runs', () => finish !== undefined), finish: () => finish?.() };
}

describe('a started server', () => {
  test('responds on its port, and stops only once if asked twice', async () => {
    const { server, events, port, isStopping } = await start({ app: slowApp().app });
    expect(await ask(port, '/quick')).toBe('quick');
    expect(isStopping()).toBe(false);
    await Promise.all([server.stop('first'), server.stop('second')]);
    expect(isStopping()).toBe(true);
    expect(events).toEqual(['closed']);
    await expect(ask(port, '/quick')).rejects.toThrow('ECONNREFUSED');
  });

  test('closes its connections if its port is taken', async () => {
    const { port } = await start();
    const events: string[] = [];
    const second = startServer({
      service: 'kit',
      loadConfig: () => ({ PORT: port, HOST: '127.0.0.1', LOG_LEVEL: 'silent', DRAIN_TIMEOUT: 0 }),
      start: async () => ({ app: express(), close: async () => void events.push('closed') }),
    });
    await expect(second).rejects.toThrow('EADDRINUSE');
    expect(events).toEqual(['closed']);
  });
});

describe('a stop', () => {
  test('waits for running requests, and then closes the rest', async () => {
    const { app, began, finish } = slowApp();
    const { server, events, port, isStopping } = await start({ app });
    const response = ask(port, '/slow');
    await began();
    const stopped = server.stop('test');
    const again = server.stop('test');
    expect(isStopping()).toBe(true);
    await expect(ask(port, '/quick')).rejects.toThrow('ECONNREFUSED');
    expect(events).toEqual([]);
    finish();
    expect(await response).toBe('done');
    await again;
    expect(events).toEqual(['closed']);
    await stopped;
  });

  test('accepts new connections for DRAIN_DELAY, and says that it is stopping', async () => {
    const { app } = slowApp();
    const { server, port, isStopping } = await start({ app, config: { DRAIN_DELAY: 2000 } });
    const stopped = server.stop('test');
    expect(isStopping()).toBe(true);
    expect(await ask(port, '/quick')).toBe('quick');
    await stopped;
    await expect(ask(port, '/quick')).rejects.toThrow('ECONNREFUSED');
  });

  test('does not wait for idle connections', async () => {
    const { app, began, finish } = slowApp();
    const { server, port } = await start({ app, config: { DRAIN_TIMEOUT: 600_000 } });
    const agent = new Agent({ keepAlive: true });
    const response = ask(port, '/slow', agent);
    await began();
    const stopped = server.stop('test');
    finish();
    expect(await response).toBe('done');
    await stopped;
    agent.destroy();
  });

  test('cuts requests that still run at its time limit', async () => {
    const { app, began } = slowApp();
    const { server, events, port } = await start({ app, config: { DRAIN_TIMEOUT: 50 } });
    const response = ask(port, '/slow').catch((error: Error) => error.message);
    await began();
    await server.stop('test');
    expect(await response).toMatch(/hang up|ECONNRESET/);
    expect(events).toEqual(['closed']);
  });

  test('cuts a connection without a complete request', async () => {
    const { server, port } = await start({ config: { DRAIN_TIMEOUT: 50 } });
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    await once(socket, 'connect');
    socket.write('GET / HTTP/1.1\r\n');
    const closed = once(socket, 'close');
    await server.stop('test');
    await closed;
  });
});

describe('a service as a process', () => {
  const file = fileURLToPath(new URL('./support/child-server.ts', import.meta.url));

  function run(env: Record<string, string>) {
    const { PATH = '' } = process.env;
    const child = spawn(process.execPath, ['--import', 'tsx', file], { env: { PATH, ...env } });
    children.push(child);
    const output = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => {
      output.stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      output.stderr += chunk.toString();
    });
    const logged = (msg: string) =>
      until(`the log says ${msg}`, () => output.stdout.includes(`"msg":"${msg}"`));
    const portOf = () => Number(/"port":(\d+)/.exec(output.stdout)?.[1]);
    return { child, output, logged, portOf, exit: once(child, 'close') };
  }
  const good = { NEEDED: 'x', ALSO_NEEDED: 'x' };

  test.each([
    ['exits with 0 after SIGTERM, when the running request has got its response', 'x'],
    ['loses no log line at the end and keeps their order, however late they are written', 'busy threads'],
  ])('%s', async (_behaviour, NEEDED) => {
    const { child, output, logged, portOf, exit } = run({ ...good, NEEDED });
    await logged('listening');
    const response = ask(portOf(), '/slow');
    await logged('slow began');
    child.kill('SIGTERM');
    await logged('stopping');
    child.kill('SIGINT');
    child.kill('SIGTERM');
    expect(await response).toBe('done');
    expect(await exit).toEqual([0, null]);
    const messages = output.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).msg);
    expect(messages).toEqual(['listening', 'slow began', 'stopping', 'closed', 'stopped']);
  });

  test('stops when its parent is killed', async () => {
    const { PATH = '' } = process.env;
    const parent = spawn(process.execPath, [
      '-e',
      `const child = require('node:child_process').spawn(process.execPath, ['--import', 'tsx', ${JSON.stringify(file)}],
        { env: ${JSON.stringify({ PATH, ...good })}, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
       child.stdout.on('data', (chunk) => process.stdout.write(child.pid + ' ' + chunk));`,
    ]);
    children.push(parent);
    const [line] = await once(parent.stdout, 'data');
    const pid = Number.parseInt(String(line), 10);
    const runs = () => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    };
    expect([String(line).includes('listening'), runs()]).toEqual([true, true]);
    parent.kill('SIGKILL');
    await until('the service has ended', () => !runs());
  });

  test('exits with 0 after SIGINT', async () => {
    const { child, logged, exit } = run(good);
    await logged('listening');
    child.kill('SIGINT');
    expect(await exit).toEqual([0, null]);
  });

  test('exits with 1 and a line for each invalid variable', async () => {
    const { output, exit } = run({ PORT: 'hunter2' });
    expect(await exit).toEqual([1, null]);
    expect(output.stdout).toBe('');
    expect(output.stderr.trim().split('\n').sort()).toEqual([
      'child: ALSO_NEEDED is missing',
      'child: NEEDED is missing',
      'child: PORT: must be a whole number',
    ]);
  });

  test('exits with 1 and the reason if it cannot start', async () => {
    const { output, exit } = run({ ...good, NEEDED: 'fail at start' });
    expect(await exit).toEqual([1, null]);
    expect(output.stderr).toBe('child: ECONNREFUSED\n');
  });

  test('exits with 1 if it cannot close its connections', async () => {
    const { child, output, logged, exit } = run({ ...good, NEEDED: 'fail at stop' });
    await logged('listening');
    child.kill('SIGTERM');
    expect(await exit).toEqual([1, null]);
    expect(output.stderr).toBe('child: the pool\nchild: could not be closed\n');
  });
});
