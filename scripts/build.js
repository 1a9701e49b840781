import { runCommand } from './lib/command.js';

runCommand(() => import('./lib/build/build.command.js'));
