import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, sleep, until } from '../support/process.ts';
import { testServer } from '../support/stack.ts';
import { startDrillShop, underLoad } from './drill.shop.ts';
import { type Engine, engineFolder, startEngine } from './engines.ts';
import { ask } from './postgres.server.ts';

/** Server connections that all processes of a service share. */
const POOL = 5;
const AWAY_FOR = 1000;

/** All statements of requests go through PgBouncer in transaction mode, which is restarted under load. */
export async function pgbouncer() {
  const folder = await engineFolder('pgbouncer');
  const server = new URL(testServer('TEST_DATABASE_URL'));
  const port = await freePort();
  const file = join(folder.path, 'pgbouncer.ini');
  const lines = [
    '[databases]',
    `* = host=127.0.0.1 port=${server.port}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'pool_mode = transaction',
    `default_pool_size = ${POOL}`,
    'auth_type = plain',
    `auth_file = ${join(folder.path, 'users.txt')}`,
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  await writeFile(join(folder.path, 'users.txt'), `"${server.username}" "${server.password}"\n`);
  const start = () => startEngine('pgbouncer', [file], folder.path);
  let engine: Engine = start();
  const through = (url: string) => Object.assign(new URL(url), { port: String(port) }).toString();
  await until(
    'pgbouncer responds',
    async () => (await ask(through(server.href), 'SELECT 1')).length === 1,
    20_000,
  );
  const shop = await startDrillShop({
    // The role's limit takes the place of the one that direct connections get.
    envOf: async (_name, url) => {
      await ask(url, `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET statement_timeout = '1200ms'`);
      return { DATABASE_URL: through(url), DATABASE_DIRECT_URL: url, DATABASE_PREPARED: 'false' };
    },
  });
  try {
    return await underLoad({
      shop,
      async strike() {
        await engine.kill();
        await sleep(AWAY_FOR);
        engine = start();
        const [row] = await ask(
          server.href,
          `SELECT count(*)::int AS count FROM pg_stat_activity
            WHERE datname = '${new URL(shop.databases.order).pathname.slice(1)}' AND application_name <> 'drill'`,
        );
        return { faults: 1, notes: [`${row?.['count']} server connections of order-service, jobs included`] };
      },
    });
  } finally {
    await shop.stack.close();
    await engine.stop();
    await folder.remove();
  }
}
