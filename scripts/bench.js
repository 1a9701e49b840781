import { runCommand } from './lib/command.js';

runCommand(() => import('./lib/bench/bench.command.js'));
