import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { prettyFactory } from 'pino-pretty';
import { hasColour, paint, say } from '../terminal.ts';

const COLOURS: Record<string, Parameters<typeof paint>[0]> = {
  'user-service': 'cyan',
  'product-service': 'magenta',
  'order-service': 'blue',
  postgres: 'yellow',
  redis: 'yellow',
};
const WIDTH = 'product-service'.length;

/** A function that prints lines with the name of their process. */
export function prefixed(name: string): (text: string) => void {
  const prefix = paint(COLOURS[name] ?? 'gray', `${name.padEnd(WIDTH)} │`);
  return (text) => say(`${prefix} ${text}`);
}

/** Prints a service's JSON log as readable lines. */
export function printLogs(name: string, child: ChildProcess) {
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
