import { readFile } from 'node:fs/promises';
import { setInterval as every } from 'node:timers/promises';

const INTERVAL = 200;

/** Resident memory of a process in bytes, on Linux; 0 elsewhere. */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}

/** Samples a process's memory while something runs. @returns megabytes, one value per 200 ms */
export async function watchMemory<Result>(pid: number, run: () => Promise<Result>) {
  const megabytes = async () => (await residentBytes(pid)) / 1e6;
  const samples = [await megabytes()];
  const stop = new AbortController();
  const watching = (async () => {
    for await (const _ of every(INTERVAL, undefined, { signal: stop.signal }))
      samples.push(await megabytes());
  })().catch(() => undefined);
  try {
    return { result: await run(), samples };
  } finally {
    stop.abort();
    await watching;
  }
}

/** The maximum of each twentieth of the time. */
export function curveOf(samples: number[]): string {
  const points = Math.min(20, samples.length);
  return Array.from({ length: points }, (_, i) => {
    const from = Math.floor((i * samples.length) / points);
    const to = Math.floor(((i + 1) * samples.length) / points);
    return Math.round(Math.max(...samples.slice(from, to)));
  }).join(' ');
}
