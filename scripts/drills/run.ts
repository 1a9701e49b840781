import { heading, lineOf, passed } from './drill.report.ts';
import { DRILLS } from './drills.ts';
import { killEngines } from './engines.ts';

// What a drill starts has process groups of its own, and would outlive it.
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    killEngines();
    process.exit(1);
  });
}

const [chosen = 'all'] = [process.argv.slice(2).join(' ')];
const names = chosen === 'all' ? Object.keys(DRILLS) : chosen.split(',');
let good = true;
console.log(heading);
for (const name of names) {
  const drill = DRILLS[name];
  if (drill === undefined) throw new Error(`There is no drill ${name}: ${Object.keys(DRILLS).join(', ')}`);
  const result = await drill();
  console.log(lineOf(name, result));
  good &&= passed(result);
}
console.log(good ? 'No order was lost, and all sums are right.' : 'FAILED');
process.exitCode = good ? 0 : 1;
