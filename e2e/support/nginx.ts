import { chmod, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe } from '@jest/globals';
import { findProgram } from '../../scripts/lib/programs.ts';
import { freePort, type Started, startProcess, until } from './process.ts';
import type { ServiceName } from './service-database.ts';

const CONFIGURATION = fileURLToPath(new URL('../../deploy/gateway', import.meta.url));
const PORTS = { 'user-service': 5001, 'product-service': 5002, 'order-service': 5003 } as const;
const STOREFRONT_PORT = 5080;

/** `describe`, or `describe.skip` with a warning on a machine without nginx; as root, Jest's setup of e2e installs it. */
export const describeWithNginx = findProgram('nginx') === undefined ? skipLoudly() : describe;

function skipLoudly() {
  console.warn('SKIPPED: the gateway is not tested, because there is no nginx here (apt install nginx)');
  return describe.skip;
}

export interface Gateway {
  /** Addresses by service, on its own port. */
  urls: Record<ServiceName, string>;
  /** The common address of all three. */
  url: string;
  port: number;
  /** Lines of its access log. */
  log(): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

interface GatewayOptions {
  /** `host:port` of each service; several are replicas of it. */
  services: Record<ServiceName, string[]>;
  env?: Record<string, string>;
}

/** The deployed gateway, on free ports of 127.0.0.1. */
export async function startGateway({ services, env = {} }: GatewayOptions): Promise<Gateway> {
  const folder = await temporaryFolder();
  const source = join(folder, 'source');
  await cp(CONFIGURATION, source, { recursive: true });
  const published = [...Object.values(PORTS), STOREFRONT_PORT];
  const ports = new Map<number, number>();
  for (const port of published) ports.set(port, await freePort());
  const log = join(folder, 'access.log');
  let text = await readFile(join(source, 'nginx.conf'), 'utf8');
  for (const [name, replicas] of Object.entries(services)) {
    text = text.replaceAll(`${name}:${PORTS[name as ServiceName]};`, `${name};`);
    const members = replicas.map((replica) => `server ${replica} max_fails=0;`);
    text = text.replace('http {', `http {\n upstream ${name} { ${members.join(' ')} }`);
  }
  text = text
    .replaceAll(/listen (\d+);/g, (_all, port) => `listen 127.0.0.1:${ports.get(Number(port))};`)
    .replace('/dev/stdout', log)
    .replace('/dev/stderr', 'stderr');
  await writeFile(join(source, 'nginx.conf'), text);
  const { state, stop } = await run(folder, join(source, 'start.sh'), env);
  const urlOf = (port: number) => `http://127.0.0.1:${ports.get(port)}`;
  const url = urlOf(STOREFRONT_PORT);
  await Promise.race([until('the gateway runs', async () => (await fetch(`${url}/health`)).ok), state]);
  return {
    url,
    port: ports.get(STOREFRONT_PORT) ?? 0,
    urls: {
      'user-service': urlOf(PORTS['user-service']),
      'product-service': urlOf(PORTS['product-service']),
      'order-service': urlOf(PORTS['order-service']),
    },
    log: async () =>
      (await readFile(log, 'utf8'))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    close: stop,
  };
}

/** Another proxy in front of an address, like one that terminates TLS in front of the gateway. */
export async function startFrontProxy(target: string): Promise<{ url: string; close: () => Promise<void> }> {
  const folder = await temporaryFolder();
  const port = await freePort();
  await writeFile(
    join(folder, 'start.sh'),
    `cat >"$GATEWAY_STATE/nginx.conf" <<'EOF'
pid nginx.pid; error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path client; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
  server {
    listen 127.0.0.1:${port};
    location = /up { return 204; }
    location / {
      proxy_pass ${target};
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
  }
}
EOF
exec nginx -p "$GATEWAY_STATE/" -c "$GATEWAY_STATE/nginx.conf" -g 'daemon off;'
`,
  );
  const { state, stop } = await run(folder, join(folder, 'start.sh'), {});
  const url = `http://127.0.0.1:${port}`;
  await Promise.race([until('the proxy runs', async () => (await fetch(`${url}/up`)).ok), state]);
  return { url, close: stop };
}

/** A folder that nginx's workers can read, which run as another user if root starts nginx. */
async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shop-gateway-'));
  await chmod(folder, 0o711);
  return folder;
}

async function run(folder: string, script: string, env: Record<string, string>) {
  const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin`;
  const nginx: Started = startProcess('sh', [script], { env: { PATH, GATEWAY_STATE: folder, ...env } });
  const state = nginx.ended().then((code) => {
    throw new Error(`nginx ended with ${code}:\n${nginx.output()}`);
  });
  state.catch(() => undefined);
  return {
    state,
    async stop() {
      await nginx.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
