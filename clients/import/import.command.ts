import { stat } from 'node:fs/promises';
import { Failure, INTERRUPTED_BY_USER, Interrupted } from '../../scripts/lib/failure.ts';
import { stopSignal } from '../../scripts/lib/signals.ts';
import { currentRun } from '../../scripts/lib/start/run-file.ts';
import { say, warn } from '../../scripts/lib/terminal.ts';
import { type Options, readOptions } from './options.ts';
import { showProgress } from './progress.ts';
import { openSource } from './read-rows.ts';
import { type Summary, sendRows } from './send-rows.ts';
import { signIn } from './sign-in.ts';

export { HELP } from './options.ts';

export async function main(args: string[]) {
  const options = readOptions(args);
  const signal = stopSignal();
  try {
    const summary = await importFile(options, signal);
    report(summary, options.dryRun);
    return summary.failed === 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    warn('Interrupted. What the shop had written by then stays; the same file can be imported again.');
    return INTERRUPTED_BY_USER;
  }
}

async function importFile(options: Options, signal: AbortSignal) {
  const { file, dryRun, setStock, ignoreUnknown, username, url, users } = options;
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) throw new Failure(`There is no file ${file}.`);
  const source = await openSource(options);
  const running = (await currentRun())?.urls;
  const addresses = {
    userUrl: users || running?.['user-service'] || 'http://localhost:5001',
    productUrl: url || running?.['product-service'] || 'http://localhost:5002',
  };
  // Asks for the password before the progress bar appears.
  const shop = await signIn(addresses, username, signal);
  const progress = showProgress(found.size);
  try {
    return await sendRows({
      source,
      shop,
      options: {
        ...(dryRun && { dry_run: true }),
        ...(setStock && { stock: 'set' }),
        ...(ignoreUnknown && { unknown: 'ignore' }),
        signal,
      },
      onSettled: progress.settled,
    });
  } finally {
    progress.end();
  }
}

function report(
  { created, updated, unchanged, failed, stock_kept, skipped, errors }: Summary,
  dryRun: boolean,
) {
  for (const { line, message } of errors) warn(`line ${line}: ${message}`);
  if (failed > errors.length) warn(`… and ${failed - errors.length} more`);
  if (stock_kept > 0) say(`${stock_kept} products kept their stock; --set-stock sets it.`);
  if (skipped > 0)
    say(
      `${skipped} rows were skipped, because they are not products: pictures, translations, or sets of variants.`,
    );
  say(
    `${dryRun ? 'Dry run: ' : ''}${created} created, ${updated} updated, ${unchanged} unchanged, ${failed} failed.`,
  );
}
