import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import axios from 'axios';
import { createHttpClient } from '../service-kit/src/http/http-client.ts';
import { createMetrics } from '../service-kit/src/runtime/metrics.ts';
import { medianOf } from './support/load.ts';

const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 1);
const RUNS = 7;
const BODY = { reservations: [{ reservation_id: 'r', items: [{ product_id: 1, quantity: 1 }] }] };
const RESPONSE = JSON.stringify({ reservations: [{ id: 'r', lines: [{ product_id: 1, name: 'One' }] }] });

/** The processor time of a call between services, one after the other: of the kit's client, of plain axios, of node:http. */
async function main() {
  const server = createServer((incoming, response) => {
    incoming.resume().on('end', () => {
      response.setHeader('content-type', 'application/json').end(RESPONSE);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const agent = new Agent({ keepAlive: true });
  const kit = createHttpClient({
    target: 'bench',
    url,
    agent,
    maxResponse: 10_000,
    metrics: createMetrics('bench'),
  });
  const plain = axios.create({ baseURL: url, httpAgent: agent, proxy: false, maxRedirects: 0 });
  const calls: Record<string, () => Promise<unknown>> = {
    'node:http': () => post(url, agent),
    "the kit's client": () => kit.post('/', BODY),
    axios: () => plain.post('/', BODY),
  };
  const turns = new Map<string, { rate: number }[]>(Object.keys(calls).map((name) => [name, []]));
  for (let run = 0; run < RUNS; run++)
    for (const [name, call] of Object.entries(calls)) turns.get(name)?.push(await takeTurn(call));
  agent.destroy();
  server.close();
  console.table(
    [...turns].map(([name, all]) => ({ client: name, 'µs/call': Math.round(1e6 / medianOf(all).rate) })),
  );
}

async function takeTurn(call: () => Promise<unknown>): Promise<{ rate: number }> {
  const before = process.cpuUsage();
  const end = performance.now() + SECONDS * 1000;
  let count = 0;
  for (; performance.now() < end; count++) await call();
  const { user, system } = process.cpuUsage(before);
  return { rate: (count * 1e6) / (user + system) };
}

const post = (url: string, agent: Agent): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    request(url, { agent, method: 'POST', headers }, (incoming) => {
      let text = '';
      incoming
        .setEncoding('utf8')
        .on('data', (chunk) => {
          text += chunk;
        })
        .on('end', () => resolve(JSON.parse(text)));
    })
      .on('error', reject)
      .end(JSON.stringify(BODY));
  });

await main();
