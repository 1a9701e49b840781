import { fileURLToPath } from 'node:url';
import { freePort, type Started, startProcess, until } from '../../../../e2e/support/process.ts';
import { type Stack, type StackOptions, startStack } from '../../../../e2e/support/stack.ts';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const FOLDER = fileURLToPath(new URL('../..', import.meta.url));

export interface Storefront {
  /** Where the page is. */
  url: string;
  stack: Stack;
  close(): Promise<void>;
}

/** The built storefront before running services, with the products, users and orders of `npm run seed`. */
export async function startStorefront(options: StackOptions = {}): Promise<Storefront> {
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const stack = await startStack({
    ...options,
    env: { SHOP_URL: url, LOG_LEVEL: 'info', ...options.env },
  });
  const env = {
    USER_SERVICE_URL: stack.user.url,
    PRODUCT_SERVICE_URL: stack.product.url,
    ORDER_SERVICE_URL: stack.order.url,
  };
  const server = startProcess('node', [`${ROOT}/node_modules/vite/bin/vite.js`, 'preview'], {
    cwd: FOLDER,
    env: { ...env, PORT: String(port) },
  });
  const close = () => closeAll(server, stack);
  try {
    await seed({ ...env, USER_DATABASE_URL: stack.user.databaseUrl });
    await until('the storefront is served', async () => (await fetch(url)).ok);
  } catch (error) {
    await close();
    throw error;
  }
  return { url, stack, close };
}

async function closeAll(server: Started, stack: Stack): Promise<void> {
  await server.stop();
  await stack.close();
}

async function seed(env: Record<string, string>): Promise<void> {
  const command = startProcess('node', [`${ROOT}/scripts/run.js`, 'examples/demo/seed.command.ts'], { env });
  if ((await command.ended()) !== 0) throw new Error(command.output());
}
