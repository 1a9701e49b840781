import { join } from 'node:path';
import { runTool } from '../../../../scripts/lib/processes.js';
import { ROOT } from '../../../../scripts/lib/shop.js';
import buildServices from '../../../../scripts/lib/test/build-for-e2e.js';
import { provideChromium } from '../../../../scripts/lib/test/servers.js';

/** Builds what the tests run, and finds a browser. */
export default async function setUp() {
  const { signal } = new AbortController();
  await buildServices();
  process.env['CHROMIUM_PATH'] = await provideChromium(signal);
  await runTool({
    title: 'The storefront cannot be built',
    command: join(ROOT, 'node_modules', '.bin', 'vite'),
    args: ['build'],
    cwd: join(ROOT, 'examples', 'storefront'),
    signal,
  });
}
