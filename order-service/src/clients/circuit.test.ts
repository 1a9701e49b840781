import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { CircuitOpen, createCircuit } from './circuit.ts';

/** Milliseconds of the monotonic clock, which stands still unless a test moves it. */
let now: number;
const realNow = performance.now;
beforeEach(() => {
  now = 1000;
  performance.now = () => now;
});
afterAll(() => {
  performance.now = realNow;
});

class Failure extends Error {}

const create = () =>
  createCircuit({ failuresToOpen: 3, pause: 500, isFailure: (error) => error instanceof Failure });
type Circuit = ReturnType<typeof create>;

const fail = (circuit: Circuit, error: Error = new Failure()) =>
  expect(circuit.run(() => Promise.reject(error))).rejects.toBe(error);
const succeed = (circuit: Circuit) => circuit.run(() => Promise.resolve('result'));

describe('a circuit', () => {
  test('opens after consecutive failures, and calls nothing then', async () => {
    const circuit = create();
    await fail(circuit);
    await fail(circuit);
    expect(await succeed(circuit)).toBe('result');
    await fail(circuit);
    await fail(circuit);
    expect([circuit.isOpen(), circuit.isPaused()]).toEqual([false, false]);
    await fail(circuit);
    expect([circuit.isOpen(), circuit.isPaused()]).toEqual([true, true]);
    let calls = 0;
    await expect(circuit.run(async () => (calls += 1))).rejects.toBeInstanceOf(CircuitOpen);
    expect(calls).toBe(0);
  });

  test('is not opened by other errors', async () => {
    const circuit = create();
    for (let n = 0; n < 10; n++) await fail(circuit, new Error('no time left'));
    expect(circuit.isOpen()).toBe(false);
  });

  test('lets one call through after a pause; a success closes it', async () => {
    const circuit = create();
    for (let n = 0; n < 3; n++) await fail(circuit);
    now += 499;
    expect(circuit.isPaused()).toBe(true);
    now += 1;
    expect(circuit.isPaused()).toBe(false);
    let respond = (_: string) => {};
    const tried = circuit.run(() => new Promise<string>((resolve) => (respond = resolve)));
    await expect(succeed(circuit)).rejects.toBeInstanceOf(CircuitOpen);
    respond('result');
    expect(await tried).toBe('result');
    expect(await succeed(circuit)).toBe('result');
    expect(circuit.isOpen()).toBe(false);
  });

  test('pauses again if that call fails', async () => {
    const circuit = create();
    for (let n = 0; n < 3; n++) await fail(circuit);
    now += 500;
    await fail(circuit);
    expect([circuit.isOpen(), circuit.isPaused()]).toEqual([true, true]);
  });
});
