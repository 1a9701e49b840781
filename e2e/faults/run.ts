import { parseArgs } from 'node:util';
import { failureOf, lineOf, summaryOf } from './fault.report.ts';
import { playRound, type RoundResult } from './fault.round.ts';
import { type FaultShop, startFaultShop } from './fault.shop.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '300' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000_000)) },
    first: { type: 'string', default: '0' },
  },
});
const seed = Number(values.seed);
const first = Number(values.first);
const end = first + Number(values.rounds);

let stopping = false;
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    stopping = true;
  });
}

console.log(`seed ${seed}, rounds ${first} to ${end - 1}`);
const shop = await startFaultShop();
const results = await playRounds(shop).finally(shop.close);
console.log(summaryOf(results));
console.log(`seed ${seed}`);
const complete = results.length === end - first;
process.exitCode = complete && results.every(({ violations }) => violations.length === 0) ? 0 : 1;

/** Runs until the first violation or a stop signal. */
async function playRounds(on: FaultShop): Promise<RoundResult[]> {
  const played: RoundResult[] = [];
  for (let round = first; round < end && !stopping; round++) {
    const result = await playRound({ shop: on, seed, round });
    played.push(result);
    console.log(lineOf(result));
    if (result.violations.length === 0) continue;
    console.log(failureOf(result, seed));
    for (const { process: service } of [...on.orders, ...on.products])
      console.log(service.output().slice(-20_000));
    break;
  }
  return played;
}
