import { runCommand } from './lib/command.js';

runCommand(() => import('./lib/test/test.command.js'));
