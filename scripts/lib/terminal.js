import { styleText } from 'node:util';

const NON_TTY_REPORT_SECONDS = 15;

/**
 * @param {Parameters<typeof styleText>[0]} style
 * @param {string} text
 */
export function paint(style, text) {
  return useColour() ? styleText(style, text) : text;
}

function useColour() {
  if (process.env.NO_COLOR) return false;
  return Boolean(process.stdout.isTTY) || Boolean(process.env.FORCE_COLOR);
}

/** @param {string} text */
export function say(text) {
  process.stdout.write(`${text}\n`);
}

/** @param {string} text */
export function warn(text) {
  process.stdout.write(`${paint('yellow', text)}\n`);
}

/**
 * Shows a slow step while it runs and its seconds at the end. One at a time.
 * @template T
 * @param {string} title
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(title, work) {
  const started = Date.now();
  const seconds = () => `${((Date.now() - started) / 1000).toFixed(1)} s`;
  const onTerminal = Boolean(process.stdout.isTTY);
  process.stdout.write(onTerminal ? `${title} …` : `${title} …\n`);
  const timer = setInterval(
    () => process.stdout.write(onTerminal ? `\r${title} … ${seconds()}` : `${title} … ${seconds()}\n`),
    onTerminal ? 1000 : NON_TTY_REPORT_SECONDS * 1000,
  );
  const end = (/** @type {string} */ outcome) =>
    process.stdout.write(`${onTerminal ? '\r' : ''}${title} … ${outcome} ${seconds()}\n`);
  try {
    const result = await work();
    end('done in');
    return result;
  } catch (error) {
    end('not done, ended after');
    throw error;
  } finally {
    clearInterval(timer);
  }
}
