import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import bcrypt from 'bcrypt';
import { sleep, startProcess } from '../e2e/support/process.ts';
import { startStack, testServer } from '../e2e/support/stack.ts';
import { createHttpClient } from './support/http-client.ts';
import { type Load, medianOf, runLoad } from './support/load.ts';

const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 4);
const COST = process.env['BCRYPT_COST'] ?? '10';
const RUNS = 3;
const CLIENTS = 32;
const RUSH = 200;
const USERS = 40;
const PASSWORD = 'securepass123';
const CORES = availableParallelism();

/** Logins per second compared with bare bcrypt at the same cost, in turns within one run; then 200 parallel logins. */
async function main() {
  const stack = await startStack({
    redisUrl: testServer('TEST_REDIS_URL'),
    only: ['user-service'],
    env: { BCRYPT_COST: COST, LOG_LEVEL: 'info' },
  });
  const http = createHttpClient(stack.user.url, RUSH);
  const post = (path: string, body: object) => http.post(`/api/users/${path}`, JSON.stringify(body), {});
  const logIn = async (client: number) =>
    (await post('login', { username: `user${client % USERS}`, password: PASSWORD })).status === 200;
  const hash = await bcrypt.hash(PASSWORD, Number(COST));
  const hashBare = () => bcrypt.compare(PASSWORD, hash);
  try {
    for (let i = 0; i < USERS; i += 1)
      await post('register', { username: `user${i}`, email: `user${i}@example.com`, password: PASSWORD });
    await runLoad(CLIENTS, 1, logIn);
    const logins: Load[] = [];
    const bare: Load[] = [];
    const health: Health[] = [];
    for (let run = 0; run < RUNS; run += 1) {
      bare.push(await runLoad(CORES, SECONDS, hashBare));
      const stopWatching = await watchHealth(stack.user.url);
      logins.push(await runLoad(CLIENTS, SECONDS, logIn));
      health.push(await stopWatching());
    }
    const rushStart = performance.now();
    const rush = await Promise.all(Array.from({ length: RUSH }, (_, client) => logIn(client)));
    const result = {
      cost: Number(COST),
      cores: CORES,
      logins_per_second: round(medianOf(logins).rate),
      login_failures: logins.reduce((sum, { failures }) => sum + failures, 0),
      bare_hashes_per_second: round(medianOf(bare).rate),
      share_of_bare: round(medianOf(logins).rate / medianOf(bare).rate, 2),
      health_p50_ms: health.map(({ p50 }) => round(p50)).join(' '),
      health_p99_ms: health.map(({ p99 }) => round(p99)).join(' '),
      rush: `${rush.filter(Boolean).length} of ${RUSH} simultaneous logins got 200`,
      rush_seconds: round((performance.now() - rushStart) / 1000),
    };
    console.table(Object.entries(result).map(([figure, value]) => ({ figure, value })));
    await mkdir('bench/results', { recursive: true });
    const file = { at: new Date(), node: process.version, ...result };
    await writeFile('bench/results/login.json', `${JSON.stringify(file, null, 2)}\n`);
  } finally {
    http.close();
    await stack.close();
  }
}

interface Health {
  p50: number;
  p99: number;
}

/** Requests /health from a separate process until the returned function is called. */
async function watchHealth(url: string): Promise<() => Promise<Health>> {
  const probe = fileURLToPath(new URL('../e2e/support/latency.probe.ts', import.meta.url));
  const started = startProcess('node', ['--import', 'tsx', probe, `${url}/health`]);
  await sleep(1000);
  return async () => {
    await started.stop();
    return JSON.parse(started.output()) as Health;
  };
}

const round = (value: number, digits = 1) => Number(value.toFixed(digits));

await main();
