import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from '@jest/globals';
import { until } from '../testing/until.ts';

const file = fileURLToPath(new URL('./support/child-server.ts', import.meta.url));
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function start() {
  const { PATH = '' } = process.env;
  const env = { PATH, NEEDED: 'x', ALSO_NEEDED: 'x' };
  const child = spawn(process.execPath, ['--import', 'tsx', file], { env });
  children.push(child);
  let log = '';
  child.stdout.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  const logged = (text: string) => until(`the log has ${text}`, () => log.includes(text));
  await logged('"msg":"listening"');
  const url = `http://127.0.0.1:${/"port":(\d+)/.exec(log)?.[1]}`;
  const upload = { method: 'POST', headers: { 'Content-Type': 'text/csv' }, body: 'a,b' };
  const send = (method: string, how: string) =>
    fetch(`${url}/rows?as=${how}`, method === 'POST' ? upload : {});
  return { child, url, send, logged, log: () => log, exit: once(child, 'close') };
}

test.each([
  ['event', 'POST'],
  ['rejection', 'POST'],
  ['event', 'GET'],
  ['rejection', 'GET'],
])(
  'an unhandled error (%s) of a request (%s) is logged and ends that request, and no other',
  async (how, method) => {
    const { child, url, send, logged, log } = await start();
    const slow = fetch(`${url}/slow`);
    const response = await send(method, how);
    expect(response.status).toBe(500);
    const problem = (await response.json()) as Record<string, unknown>;
    expect(problem).toMatchObject({ code: 'internal', detail: 'Something went wrong on our side' });
    expect(await (await slow).text()).toBe('done');
    expect(await (await send(method, 'none')).json()).toEqual({ bytes: 3 });
    await logged(`unhandled ${how}`);
    expect(child.exitCode).toBe(null);
    expect(log()).not.toContain('stopping');
  },
);

test('an unhandled error outside of any request stops the process in order, with exit code 1', async () => {
  const { url, logged, log, exit } = await start();
  const slow = fetch(`${url}/slow`);
  await logged('slow began');
  expect(await (await fetch(`${url}/unhandled`)).text()).toBe('done');
  expect(await (await slow).text()).toBe('done');
  expect(await exit).toEqual([1, null]);
  const messages = [...log().matchAll(/"msg":"([^"]*)"/g)].map(([, message]) => message);
  expect(messages).toEqual(['listening', 'slow began', 'unhandled error', 'stopping', 'closed', 'stopped']);
  expect(log()).toContain('outside of any request');
});
