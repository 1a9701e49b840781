import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';
import { chromium, type Page } from 'playwright-core';

export interface Site {
  /** A tab; all share one storage. */
  open(): Promise<Page>;
  /** What the shop has given all tabs: `GET /api/users/me 200`. */
  responses: string[];
  close(): Promise<void>;
}

const PAGE = `<!doctype html><title>Consumer</title>
<script type="importmap">{ "imports": { "@shop/client": "/node_modules/@shop/client/dist/index.js" } }</script>`;

/** The folder of a project as a site of its own, in a browser. Modules are served as they are. */
export async function startSite(folder: string): Promise<Site> {
  const executablePath = process.env['CHROMIUM_PATH'];
  if (executablePath === undefined) throw new Error('CHROMIUM_PATH is not set: run the tests with npm test');
  const server = createServer(async ({ url = '/' }, response) => {
    if (url === '/') return void response.setHeader('Content-Type', 'text/html').end(PAGE);
    const code = await readFile(join(folder, normalize(url))).catch(() => undefined);
    if (code === undefined) return void response.writeHead(404).end();
    response.setHeader('Content-Type', 'text/javascript').end(code);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  // Chromium's own sandbox does not work as root, and in most containers.
  const browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
  const context = await browser.newContext();
  // It only ends a test that would fail anyway.
  context.setDefaultTimeout(200_000);
  const responses: string[] = [];
  context.on('response', (response) => {
    const { pathname } = new URL(response.url());
    if (pathname.startsWith('/api/'))
      responses.push(`${response.request().method()} ${pathname} ${response.status()}`);
  });
  return {
    responses,
    async open() {
      const page = await context.newPage();
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      return page;
    },
    async close() {
      await browser.close();
      server.closeAllConnections();
      server.close();
    },
  };
}
