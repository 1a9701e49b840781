import { runCommand } from './lib/command.js';

runCommand(() => import('./lib/import/import.command.js'));
