import { createInterface } from 'node:readline';
import { prettyFactory } from 'pino-pretty';
import { hasColour, paint, say } from '../terminal.js';

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
 * A function that prints lines with the name of their process.
 * @param {string} name
 * @returns {(text: string) => void}
 */
export function prefixed(name) {
  const prefix = paint(COLOURS[name] ?? 'gray', `${name.padEnd(WIDTH)} │`);
  return (text) => say(`${prefix} ${text}`);
}

/**
 * Prints a service's JSON log as readable lines.
 * @param {string} name
 * @param {import('node:child_process').ChildProcess} child
 */
export function printLogs(name, child) {
  const print = prefixed(name);
  const format = prettyFactory({
    colorize: hasColour(),
    ignore: 'pid,hostname,name,service',
    translateTime: 'HH:MM:ss.l',
    singleLine: true,
  });
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface({ input: stream }).on('line', (line) => print(format(line).trimEnd()));
  }
}
