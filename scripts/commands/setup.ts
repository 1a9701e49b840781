import { runTool } from '../lib/processes.ts';
import { ROOT } from '../lib/shop.ts';
import { say } from '../lib/terminal.ts';

/** `npm run setup`: Biome checks staged files before each commit of this checkout. Undo: git config --unset core.hooksPath */
export async function main() {
  const args = ['config', 'core.hooksPath', '.githooks'];
  await runTool({ title: 'The hook cannot be installed', command: 'git', args, cwd: ROOT });
  say('Biome now checks staged files before each commit. Undo: git config --unset core.hooksPath');
  return 0;
}
