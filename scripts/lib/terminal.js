import { styleText } from 'node:util';

const NON_TTY_REPORT_MS = 15_000;

/**
 * @param {Parameters<typeof styleText>[0]} style
 * @param {string} text
 */
export const paint = (style, text) => (hasColour() ? styleText(style, text) : text);

export const hasColour = () =>
  !process.env.NO_COLOR && (Boolean(process.stdout.isTTY) || Boolean(process.env.FORCE_COLOR));

/** @param {string} text */
export const say = (text) => void process.stdout.write(`${text}\n`);

/** @param {string} text */
export const warn = (text) => say(paint('yellow', text));

/**
 * Shows a slow step while it is running, and its duration at the end.
 * @template T
 * @param {string} title
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(title, work) {
  const started = Date.now();
  const [begin, end] = process.stdout.isTTY ? ['\r', ''] : ['', '\n'];
  const show = (/** @type {string} */ state, tail = end) => {
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    process.stdout.write(`${begin}${title} … ${state}${seconds} s${tail}`);
  };
  process.stdout.write(`${title} …${end}`);
  const timer = setInterval(() => show(''), process.stdout.isTTY ? 1000 : NON_TTY_REPORT_MS);
  try {
    const result = await work();
    show('done in ', '\n');
    return result;
  } catch (error) {
    show('failed after ', '\n');
    throw error;
  } finally {
    clearInterval(timer);
  }
}
