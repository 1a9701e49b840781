import { type DrillResult, detailsOf, heading, passed, rowOf } from './drill.report.ts';
import { DRILLS } from './drills.ts';

// What a drill starts ends when the process exits, which a signal alone does not count as.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(1));

/** A drill that cannot be run or finished does not keep the others from being run. */
async function run(name: string): Promise<DrillResult | undefined> {
  const startedAt = performance.now();
  try {
    const result = await DRILLS[name]?.();
    console.log(`${name}: done in ${Math.round((performance.now() - startedAt) / 1000)} s`);
    if (result) for (const line of detailsOf(result)) console.log(`    ${line}`);
    return result;
  } catch (error) {
    console.log(`${name}:`, error);
    return undefined;
  }
}

const chosen = process.argv.slice(2).join(' ') || 'all';
const names = chosen === 'all' ? Object.keys(DRILLS) : chosen.split(',').map((name) => name.trim());
const unknown = names.find((name) => !(name in DRILLS));
if (unknown !== undefined) throw new Error(`There is no drill ${unknown}: ${Object.keys(DRILLS).join(', ')}`);
const results: [name: string, result: DrillResult | undefined][] = [];
for (const name of names) results.push([name, await run(name)]);
console.log(`\n${heading}`);
for (const [name, result] of results) console.log(rowOf(name, result));
const good = results.every(([, result]) => result !== undefined && passed(result));
console.log(good ? 'No order was lost, and all sums are right.' : 'FAILED');
process.exit(good ? 0 : 1);
