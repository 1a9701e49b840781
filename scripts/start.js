import { runCommand } from './lib/command.js';

runCommand(() => import('./lib/start/start.command.js'));
