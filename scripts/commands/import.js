import { stat } from 'node:fs/promises';
import { Failure, INTERRUPTED_BY_USER, Interrupted } from '../lib/failure.js';
import { HELP, readOptions } from '../lib/import/options.js';
import { showProgress } from '../lib/import/progress.js';
import { sendFile } from '../lib/import/send-file.js';
import { accessToken } from '../lib/import/sign-in.js';
import { stopSignal } from '../lib/signals.js';
import { currentRun } from '../lib/start/run-file.js';
import { say, warn } from '../lib/terminal.js';

const SHOWN_ERRORS = 20;

/** @param {string[]} args */
export async function main(args) {
  const options = readOptions(args);
  if (options.help) {
    say(HELP);
    return 0;
  }
  const signal = stopSignal();
  try {
    const summary = await importFile(options, signal);
    tell(summary, options.dryRun);
    return summary.failed === 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    warn('Interrupted. What the shop had written by then stays; the same file can be imported again.');
    return INTERRUPTED_BY_USER;
  }
}

/**
 * @param {import('../lib/import/options.js').Options} options
 * @param {AbortSignal} signal
 */
async function importFile({ file, dryRun, username, url, users }, signal) {
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) throw new Failure(`There is no file ${file}.`);
  const urls = (await currentRun())?.urls ?? {};
  const products = url || urls['product-service'] || 'http://localhost:5002';
  const token = await accessToken(users || urls['user-service'] || 'http://localhost:5001', username, signal);
  const progress = showProgress(found.size);
  try {
    return await sendFile({
      url: `${products}/api/products/import${dryRun ? '?dry_run=true' : ''}`,
      file,
      size: found.size,
      token,
      onSent: progress.sent,
      signal,
    });
  } finally {
    progress.end();
  }
}

/**
 * @param {import('../lib/import/send-file.js').Summary} summary
 * @param {boolean} dryRun
 */
function tell({ created, updated, failed, errors }, dryRun) {
  for (const { line, message } of errors.slice(0, SHOWN_ERRORS)) warn(`line ${line}: ${message}`);
  if (failed > SHOWN_ERRORS) warn(`… and ${failed - SHOWN_ERRORS} more`);
  say(`${dryRun ? 'It would be: ' : ''}${created} created, ${updated} updated, ${failed} failed.`);
}
