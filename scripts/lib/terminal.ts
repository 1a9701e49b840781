import { readFile } from 'node:fs/promises';
import { styleText } from 'node:util';

const NON_TTY_REPORT_MS = 15_000;

export const paint = (style: Parameters<typeof styleText>[0], text: string) =>
  hasColour() ? styleText(style, text) : text;

export const hasColour = () =>
  !process.env.NO_COLOR && (Boolean(process.stdout.isTTY) || Boolean(process.env.FORCE_COLOR));

export const say = (text: string) => void process.stdout.write(`${text}\n`);

export const warn = (text: string) => say(paint('yellow', text));

/** Shows a slow step while it is running, and its duration at the end. */
export async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  const started = Date.now();
  const [begin, end] = process.stdout.isTTY ? ['\r', ''] : ['', '\n'];
  const show = (state: string, tail = end) => {
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

/** The end of a server's log, for the message of a failure. */
export async function lastLines(logFile: string, count: number) {
  const text = await readFile(logFile, 'utf8').catch(() => '');
  if (/no space left/i.test(text)) return 'The disk is full.';
  return `The end of ${logFile}:\n${text.trim().split('\n').slice(-count).join('\n')}`;
}
