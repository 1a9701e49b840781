import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { Failure } from '../../scripts/lib/failure.ts';
import { provideProgram } from '../../scripts/lib/programs.ts';
import { ROOT } from '../../scripts/lib/shop.ts';
import { stopSignal } from '../../scripts/lib/signals.ts';
import { say } from '../../scripts/lib/terminal.ts';
import { validateManifests } from './validate.ts';

const OVERLAYS = join(ROOT, 'deploy', 'kubernetes', 'overlays');

/** `npm run check:k8s`: renders every overlay and checks the result against the schemas of Kubernetes. */
export async function main() {
  if (!(await provideProgram(['kubectl'], stopSignal(), 'kubernetes-client')))
    throw new Failure('npm run check:k8s needs kubectl on PATH: apt install kubernetes-client');
  let failed = 0;
  for (const overlay of readdirSync(OVERLAYS)) {
    const { stdout } = await execa('kubectl', ['kustomize', join(OVERLAYS, overlay)]);
    const problems = validateManifests(stdout);
    failed += problems.length;
    for (const problem of problems) say(`${overlay}: ${problem}`);
    say(`${overlay}: ${stdout.match(/^kind:/gm)?.length} objects, ${problems.length} problems`);
  }
  return failed === 0 ? 0 : 1;
}
