import { runCommand } from './lib/command.js';

runCommand(() => import('./lib/seed/seed.command.js'));
