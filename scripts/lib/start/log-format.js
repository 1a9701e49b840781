import { paint } from '../terminal.js';

/** pino's numbers. @type {[number, string, Parameters<typeof paint>[0]][]} */
const LEVELS = [
  [60, 'FATAL', 'red'],
  [50, 'ERROR', 'red'],
  [40, 'WARN', 'yellow'],
  [30, 'INFO', 'green'],
  [20, 'DEBUG', 'gray'],
  [0, 'TRACE', 'gray'],
];
const SHOWN_ELSEWHERE = new Set(['level', 'time', 'msg', 'pid', 'hostname', 'name', 'service', 'err', 'v']);

/**
 * One readable line of a pino JSON line; any other text stays as it is.
 * @param {string} line
 */
export function formatLogLine(line) {
  const entry = parse(line);
  if (!entry) return line;
  const [, level, style] = LEVELS.find(([least]) => Number(entry.level) >= least) ?? [0, 'INFO', 'green'];
  const rest = Object.entries(entry)
    .filter(([key]) => !SHOWN_ELSEWHERE.has(key))
    .map(([key, value]) => `${key}=${compact(value)}`);
  const text = [clock(entry.time), paint(style, level.padEnd(5)), String(entry.msg ?? '')];
  return [...text, paint('gray', rest.join(' '))].join(' ').trimEnd() + stack(entry.err);
}

/**
 * @param {string} line
 * @returns {Record<string, unknown> | undefined}
 */
function parse(line) {
  if (!line.startsWith('{')) return undefined;
  try {
    const entry = JSON.parse(line);
    return typeof entry.level === 'number' || typeof entry.msg === 'string' ? entry : undefined;
  } catch {
    return undefined;
  }
}

/** @param {unknown} time */
function clock(time) {
  const date = new Date(typeof time === 'number' || typeof time === 'string' ? time : Date.now());
  return paint('gray', Number.isNaN(date.getTime()) ? String(time) : date.toISOString().slice(11, 23));
}

/** @param {unknown} value */
function compact(value) {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** @param {unknown} err */
function stack(err) {
  if (err === null || typeof err !== 'object') return '';
  const text = 'stack' in err ? err.stack : 'message' in err ? err.message : JSON.stringify(err);
  return `\n${String(text)}`.replaceAll('\n', '\n    ');
}
