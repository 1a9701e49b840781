import { createInterface } from 'node:readline';
import { paint, say } from '../terminal.js';
import { formatLogLine } from './log-format.js';

/** @type {Record<string, Parameters<typeof paint>[0]>} */
const COLOURS = {
  'user-service': 'cyan',
  'product-service': 'magenta',
  'order-service': 'blue',
  postgres: 'yellow',
  redis: 'yellow',
};
const WIDTH = 'product-service'.length;

/**
 * A printer of lines behind the name of whom they come from.
 * @param {string} name
 * @returns {(text: string) => void}
 */
export function prefixed(name) {
  const prefix = paint(COLOURS[name] ?? 'gray', `${name.padEnd(WIDTH)} │`);
  return (text) => say(`${prefix} ${text}`);
}

/**
 * @param {string} name
 * @param {import('node:child_process').ChildProcess} child
 */
export function printLogs(name, child) {
  const print = prefixed(name);
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface({ input: stream }).on('line', (line) => print(formatLogLine(line)));
  }
}
