import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { findProgram } from '../../scripts/lib/programs.ts';
import { freePort, startProcess, until } from './process.ts';

export const OBSERVABILITY = fileURLToPath(new URL('../../deploy/observability', import.meta.url));

/** Whether Prometheus is here; Jest's setup of e2e installs it as root. */
export const hasPrometheus = ['prometheus', 'promtool'].every((program) => findProgram(program));

interface Sample {
  metric: Record<string, string>;
  value: [time: number, value: string];
}

interface Rule {
  query: string;
  health: string;
}

/**
 * Prometheus with the configuration of the deployment, which reads every second and finds the services here.
 * @param targets `host:port` of each job
 */
export async function startPrometheus(targets: Record<string, string[]>) {
  const folder = await mkdtemp(join(tmpdir(), 'shop-prometheus-'));
  await cp(join(OBSERVABILITY, 'prometheus'), folder, { recursive: true });
  const file = join(folder, 'prometheus.yml');
  const config = parse(await readFile(file, 'utf8'));
  config.global = { scrape_interval: '1s', evaluation_interval: '1s' };
  for (const job of config.scrape_configs) {
    delete job.dns_sd_configs;
    job.static_configs = [{ targets: targets[job.job_name] ?? [] }];
  }
  await writeFile(file, stringify(config));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const data = `--storage.tsdb.path=${join(folder, 'data')}`;
  const server = startProcess('prometheus', [
    `--config.file=${file}`,
    data,
    `--web.listen-address=127.0.0.1:${port}`,
  ]);
  await until('Prometheus is ready', async () => (await fetch(`${url}/-/ready`)).ok);
  const get = async <Data>(path: string): Promise<Data> => {
    const response = await fetch(`${url}/api/v1/${path}`);
    const { status, data, error } = (await response.json()) as { status: string; data: Data; error?: string };
    if (status !== 'success') throw new Error(`${path}: ${error}`);
    return data;
  };
  return {
    query: async (expression: string) =>
      (await get<{ result: Sample[] }>(`query?query=${encodeURIComponent(expression)}`)).result,
    names: () => get<string[]>('label/__name__/values'),
    rules: async () =>
      (await get<{ groups: { rules: Rule[] }[] }>('rules')).groups.flatMap(({ rules }) => rules),
    async close() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
