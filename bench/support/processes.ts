import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Job, Turn } from './generator.ts';

const fileOf = (name: string) => fileURLToPath(new URL(`../${name}.ts`, import.meta.url));

/** Linux's unit of processor time, in microseconds. */
const TICK = 10_000;

/** A load generator in a separate process, so that it does not measure itself. */
export async function generate(job: Job): Promise<Turn> {
  const child = fork(fileOf('support/generator'), [], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  child.send(job);
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`the load generator ended with ${code}`);
  return JSON.parse(output);
}

export type Peer = Awaited<ReturnType<typeof startPeer>>;

/** Starts a peer of bench/peers as a process. @returns its address and a function that stops it */
export async function startPeer(name: string, args: string[]) {
  const child = fork(fileOf(`peers/${name}`), args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const [address] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`the peer ${name} ended with ${code}`);
    }),
  ]);
  return {
    pid: child.pid ?? 0,
    url: `http://127.0.0.1:${(address as AddressInfo).port}`,
    async close() {
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

/** Processor time used by a process so far, in microseconds. */
export async function processorTime(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const [user = 0, system = 0] = stat.slice(stat.lastIndexOf(')')).split(' ').slice(12, 14).map(Number);
  return (user + system) * TICK;
}
