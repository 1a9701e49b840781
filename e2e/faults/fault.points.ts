import type { Message } from './fault.proxy.ts';

/**
 * Where a fault strikes during the placement of an order (docs/order-placement.md). At a point between two steps a proxy
 * holds a message back; at a point inside a step a statement waits for a lock of the test.
 */
export const POINTS = [
  'before intent',
  'in intent',
  'intent, reserve',
  'in reserve',
  'reserve, place',
  'in place',
  'place, response',
  'before confirm',
  'confirm, job',
  'cancel, release',
  'release, job',
  'any time',
] as const;
export type Point = (typeof POINTS)[number];

export const FAULTS = [
  'kill order-service',
  'pause order-service',
  'stop order-service past the deadline',
  'kill product-service',
  'pause product-service',
  'kill order database',
  'crash order database',
  'pause order database',
  'kill product database',
  'crash product database',
  'pause product database',
  'late order database',
  'late product database',
  'lock a product',
  'delay',
  'cut before it arrives',
  'cut in the request',
  'swallow the response',
  'cut in the response',
] as const;
export type Fault = (typeof FAULTS)[number];

export interface Strike {
  readonly fault: Fault;
  readonly point: Point;
}

/** The message at which a point is reached; for a point inside a step, the message before the step. */
const MESSAGES: Record<Exclude<Point, 'any time'>, { call: Call; direction: Message['direction'] }> = {
  'before intent': { call: 'order', direction: 'asked' },
  'in intent': { call: 'order', direction: 'asked' },
  'intent, reserve': { call: 'reserve', direction: 'asked' },
  'in reserve': { call: 'reserve', direction: 'asked' },
  'reserve, place': { call: 'reserve', direction: 'answered' },
  'in place': { call: 'reserve', direction: 'answered' },
  'place, response': { call: 'order', direction: 'answered' },
  'before confirm': { call: 'confirm', direction: 'asked' },
  'confirm, job': { call: 'confirm', direction: 'answered' },
  'cancel, release': { call: 'release', direction: 'asked' },
  'release, job': { call: 'release', direction: 'answered' },
};

type Call = 'order' | 'reserve' | 'confirm' | 'release' | 'other';

function callOf({ method, path }: Message): Call {
  if (method !== 'POST') return 'other';
  if (path === '/api/orders') return 'order';
  if (path === '/internal/reservations') return 'reserve';
  if (path.endsWith('/confirm')) return 'confirm';
  return path.endsWith('/release') ? 'release' : 'other';
}

export function isAt(point: Point, message: Message): boolean {
  if (point === 'any time') return false;
  const { call, direction } = MESSAGES[point];
  return call === callOf(message) && direction === message.direction;
}

const isInside = (point: Point) => point.startsWith('in ');
const ON_REQUEST: readonly Fault[] = ['cut before it arrives', 'cut in the request'];
const ON_RESPONSE: readonly Fault[] = ['swallow the response', 'cut in the response'];
export const isOfProxy = (fault: Fault) =>
  fault === 'delay' || ON_REQUEST.includes(fault) || ON_RESPONSE.includes(fault);

/** Every fault at every point where it is possible. */
export const STRIKES: readonly Strike[] = POINTS.flatMap((point) =>
  FAULTS.filter((fault) => canStrike(fault, point)).map((fault) => ({ fault, point })),
);

function canStrike(fault: Fault, point: Point): boolean {
  if (!isOfProxy(fault)) return true;
  if (point === 'any time' || isInside(point)) return false;
  if (fault === 'delay') return true;
  return (MESSAGES[point].direction === 'asked' ? ON_REQUEST : ON_RESPONSE).includes(fault);
}
