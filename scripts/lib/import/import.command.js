import { stat } from 'node:fs/promises';
import { Failure, Interrupted } from '../failure.js';
import { stopSignal } from '../signals.js';
import { isRunning, readRun } from '../start/run-file.js';
import { say, warn } from '../terminal.js';
import { HELP, readOptions } from './options.js';
import { showProgress } from './progress.js';
import { sendFile } from './send-file.js';
import { accessToken } from './sign-in.js';

const SHOWN_ERRORS = 20;
const INTERRUPTED_BY_USER = 130;

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
 * @param {import('./options.js').Options} options
 * @param {AbortSignal} signal
 */
async function importFile({ file, dryRun, username, url, users }, signal) {
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) throw new Failure(`There is no file ${file}.`);
  const run = await readRun();
  const urls = run && isRunning(run) ? run.urls : {};
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
 * @param {import('./send-file.js').Summary} summary
 * @param {boolean} dryRun
 */
function tell({ created, updated, failed, errors }, dryRun) {
  for (const { line, message } of errors.slice(0, SHOWN_ERRORS)) warn(`line ${line}: ${message}`);
  if (failed > SHOWN_ERRORS) warn(`… and ${failed - SHOWN_ERRORS} more`);
  say(`${dryRun ? 'It would be: ' : ''}${created} created, ${updated} updated, ${failed} failed.`);
}
