import { build } from '../lib/build.ts';
import { stopSignal } from '../lib/signals.ts';

/** `npm run build`: generates the database clients and compiles what has changed. */
export async function main() {
  await build(stopSignal());
  return 0;
}
