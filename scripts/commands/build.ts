import { build } from '../lib/build.ts';
import { stopSignal } from '../lib/signals.ts';

/** `npm run build`: writes Prisma's generated code and compiles what has changed. */
export async function main() {
  await build(stopSignal());
  return 0;
}
