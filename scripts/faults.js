import { runCommand } from './lib/command.js';

runCommand(() => import('./lib/faults/faults.command.js'));
