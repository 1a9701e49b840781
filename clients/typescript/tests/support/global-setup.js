import setUpServices from '../../../../scripts/lib/test/build-for-e2e.js';
import { provideChromium } from '../../../../scripts/lib/test/servers.js';

/** The services as e2e runs them, and a browser. */
export default async function setUp() {
  await setUpServices();
  process.env['CHROMIUM_PATH'] = await provideChromium(new AbortController().signal);
}
