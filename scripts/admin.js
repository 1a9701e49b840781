import { runCommand } from './lib/command.js';

runCommand(() => import('./lib/admin/admin.command.js'));
