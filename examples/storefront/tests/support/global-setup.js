import { join } from 'node:path';
import setUpServices from '../../../../scripts/lib/test/e2e-setup.js';

const FOLDER = join(import.meta.dirname, '..', '..');
const VITE = join(FOLDER, '..', '..', 'node_modules', '.bin', 'vite');

/** Builds what the tests run, and finds a browser. */
export default async function setUp() {
  await setUpServices();
  const { runTool } = await import('../../../../scripts/lib/processes.ts');
  await runTool({ title: 'The storefront cannot be built', command: VITE, args: ['build'], cwd: FOLDER });
}
