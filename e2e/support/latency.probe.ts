// A separate process, so that it does not measure its own work: sends GET requests to the address, one at a time, until
// SIGTERM, and then prints their durations.
import { Agent, get } from 'node:http';

const PAUSE = 5;
const url = process.argv[2] ?? '';
const agent = new Agent({ keepAlive: true });
const times: number[] = [];
let failed = 0;

const ask = () =>
  new Promise<void>((resolve) => {
    const fail = () => {
      failed += 1;
      resolve();
    };
    get(url, { agent, timeout: 10_000 }, (response) => {
      if (response.statusCode !== 200) failed += 1;
      response.resume().once('end', resolve);
    })
      .once('error', fail)
      .once('timeout', fail);
  });

const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))];

process.on('SIGTERM', () => {
  times.sort((a, b) => a - b);
  console.log(
    JSON.stringify({ count: times.length, failed, p50: at(0.5), p99: at(0.99), max: times.at(-1) }),
  );
  process.exit(0);
});
for (;;) {
  const startedAt = performance.now();
  await ask();
  times.push(performance.now() - startedAt);
  await new Promise((resolve) => setTimeout(resolve, PAUSE));
}
